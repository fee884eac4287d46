import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dataSet, described, description, entryOf, type Inputs, image, label, sound, soundTraining } from './inputs.ts';

const labels = { 0: 'background', 1: 'box', 2: 'core' };
const listed = JSON.stringify({ name: 'Größe', labels, training: soundTraining });

/** A data set whose `dataset.json` has these bytes. */
const writtenAs = (bytes: Buffer) => dataSet((copy) => writeFile(description(copy), bytes));

/** A data set whose cases are what its folders hold, after `change`. */
const unlisted = (change: (copy: string) => unknown) =>
  dataSet(async (copy) => {
    await writeFile(description(copy), JSON.stringify({ labels }));
    await change(copy);
  });

/** A data set without a list of which case c has other names. */
const renamed = (newImage: string | Buffer, newLabel: string | Buffer) =>
  unlisted(async (copy) => {
    const at = (folder: string, name: string | Buffer) =>
      Buffer.concat([Buffer.from(`${copy}/${folder}/`), Buffer.from(name)]);
    await rename(image(copy), at('imagesTr', newImage));
    await rename(label(copy), at('labelsTr', newLabel));
  });

const bytes = (name: string) => Buffer.from(name, 'latin1');
const patient = (name: string) => ({ image: `P_${name}/imaging.nii.gz`, label: `P_${name}/mask.nii.gz` });

/** What data sets are laid out and written like, by other programs and other systems. */
export const layouts: Inputs = {
  "nnU-Net v1's list of images without a channel's number": dataSet(async (copy) => {
    for (const { name } of sound) {
      const file = join(copy, 'imagesTr', `${name}.nii.gz`);
      await rename(file, file.replace('.nii', '_0000.nii'));
    }
  }),
  "nnU-Net v2's list of some of the cases": described({
    training: undefined,
    dataset: Object.fromEntries(
      soundTraining.slice(1).map(({ image, label }, i) => [`case ${i}`, { images: [image], label }]),
    ),
  }),
  'A dataset.json with a byte order mark': writtenAs(Buffer.from(`\uFEFF${listed}`)),
  'A dataset.json in UTF-16': writtenAs(Buffer.from(`\uFEFF${listed}`, 'utf16le')),
  'A dataset.json in Latin-1': writtenAs(Buffer.from(listed, 'latin1')),
  'Paths with backslashes': described({
    training: soundTraining.map((entry) => ({
      image: entry.image.replace('/', '\\'),
      label: `.\\${entry.label.replace('/', '\\')}`,
    })),
  }),
  'A setting that is not known': described({ ignore_label: 255 }),
  'Another number of cases than stated': described({ numTraining: 20 }),
  'Patients whose files are called the same': dataSet(async (copy) => {
    for (const { name } of sound) {
      await mkdir(join(copy, `P_${name}`));
      await rename(join(copy, entryOf(name).image), join(copy, patient(name).image));
      await rename(join(copy, entryOf(name).label), join(copy, patient(name).label));
    }
    const training = sound.map(({ name }) => patient(name));
    await writeFile(description(copy), JSON.stringify({ labels, training }));
  }),
  "Patients' folders beside scans": unlisted(async (copy) => {
    for (const [name, depth] of [
      ['b', 'b'],
      ['c', 'c/one/two'],
    ]) {
      for (const folder of ['imagesTr', 'labelsTr']) {
        await mkdir(join(copy, folder, depth), { recursive: true });
        await rename(join(copy, folder, `${name}.nii.gz`), join(copy, folder, depth, `${name}.nii.gz`));
      }
    }
    // One that is not there would be missed in the count.
    await writeFile(description(copy), JSON.stringify({ labels, numTraining: sound.length }));
  }),
  'Patients whose files are called by other rules in each folder': unlisted(async (copy) => {
    for (const { name } of sound)
      for (const [folder, file] of [
        ['imagesTr', `scan_${name}`],
        ['labelsTr', 'seg'],
      ]) {
        await mkdir(join(copy, folder, `P_${name}`));
        await rename(join(copy, folder, `${name}.nii.gz`), join(copy, folder, `P_${name}`, `${file}.nii.gz`));
      }
  }),
  'Folders and files whose names would run together': unlisted(async (copy) => {
    const paths = ['p/q_r', 'p_q/r', 'p/r', 'q/x', 'r/x', 's/x'];
    for (const [i, { name }] of sound.entries())
      for (const folder of ['imagesTr', 'labelsTr']) {
        await mkdir(dirname(join(copy, folder, paths[i])), { recursive: true });
        await rename(join(copy, folder, `${name}.nii.gz`), join(copy, folder, `${paths[i]}.nii.gz`));
      }
  }),
  'A link to a folder that is read already': unlisted((copy) =>
    symlink(join(copy, 'imagesTr'), join(copy, 'imagesTr', 'again')),
  ),
  'Endings in capital letters': renamed('c.NII.GZ', 'c.Nii.gz'),
  'Accents that are stored in two ways': renamed('é.nii.gz'.normalize('NFC'), 'é.nii.gz'.normalize('NFD')),
  'A name that is no UTF-8': renamed(bytes('Müller.nii.gz'), 'Müller.nii.gz'),
  'A file that looks like a scan beside the scans': unlisted((copy) =>
    writeFile(join(copy, 'imagesTr', 'd.nii.gz.part'), ''),
  ),
  'A scan with another ending than stated': unlisted(async (copy) => {
    await writeFile(description(copy), JSON.stringify({ labels, file_ending: '.nii.gz' }));
    await writeFile(join(copy, 'imagesTr', 'd.nrrd'), '');
  }),
};
