import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createRandom } from '../../src/base/random.ts';
import { readNifti, writeNifti } from '../../src/formats/nifti.ts';
import { turnTo, turnVolume } from '../../src/formats/orientation.ts';
import { boxCase, straight, writeStated } from '../formats/scans.ts';
import {
  type Build,
  dataSet,
  described,
  description,
  entryOf,
  type Inputs,
  image,
  label,
  sound,
  soundCase,
  soundTraining,
  storedImage,
  storedLabel,
  withCase,
} from './inputs.ts';

const labels = { 0: 'background', 1: 'box', 2: 'core' };
const other = boxCase('c', createRandom(9), [16, 16, 15]);

/** A data set whose cases are what its folders hold, after `spoil`. */
const unlisted = (spoil: (copy: string) => unknown): Build =>
  dataSet(async (copy) => {
    await writeFile(description(copy), JSON.stringify({ labels }));
    await spoil(copy);
  });

/** A data set in nnU-Net's layout, of two channels. */
const channels = (spoil: (copy: string) => unknown): Build =>
  dataSet(async (copy) => {
    const text = JSON.stringify({ channel_names: { 0: 'T1', 1: 'T2' }, labels: { background: 0, box: 1, core: 2 } });
    await writeFile(description(copy), text);
    for (const { name } of sound) {
      const file = join(copy, 'imagesTr', `${name}.nii.gz`);
      await cp(file, join(copy, 'imagesTr', `${name}_0001.nii.gz`));
      await rename(file, join(copy, 'imagesTr', `${name}_0000.nii.gz`));
    }
    await spoil(copy);
  });
const second = (copy: string): string => join(copy, 'imagesTr', 'c_0001.nii.gz');

/** A folder of images and, behind `--labels`, one of label maps. */
const twoFolders =
  (spoil: (images: string, labels: string) => unknown): Build =>
  async (folder) => {
    const [copy] = await dataSet(() => {})(folder);
    const folders = [join(copy, 'imagesTr'), join(copy, 'labelsTr')] as const;
    await spoil(...folders);
    return [folders[0], '--labels', folders[1]];
  };

/** What is wrong with a data set. */
export const dataSets: Inputs = {
  'No such folder': async (folder) => [join(folder, 'nowhere')],
  'No dataset.json': dataSet((copy) => rm(description(copy))),
  'A folder called dataset.json': dataSet(async (copy) => {
    await rm(description(copy));
    await mkdir(description(copy));
  }),
  'A dataset.json that is not JSON': dataSet((copy) => writeFile(description(copy), '{\n  "labels": [}\n')),
  'A dataset.json that holds another kind of thing': described({ labels: ['background', 'liver'] }),
  'Channels that are no list': described({ modality: 'MRI' }),
  'Labels the other way round': described({ labels: { background: '0', liver: '1' } }),
  'No background': described({ labels: { 1: 'box', 2: 'core' } }),
  'No labels but the background': described({ labels: { 0: 'background' } }),
  'One value for two labels': described({ labels: { background: 0, box: 1, core: 1 } }),
  'More than 255 labels': described({
    labels: Object.fromEntries(Array.from({ length: 256 }, (_, value) => [value, `part ${value}`])),
  }),
  'A label value beyond 32 bits': described({ labels: { ...labels, 3000000000: 'far' } }),
  'A line break in a name': described({ labels: { ...labels, 2: 'core\nerror: none' } }),
  'Two values to be ignored': described({ labels: { background: 0, box: 1, ignore: [2, 3] } }),
  'Files of another format': described({ file_ending: '.png' }),
  'An empty list of cases': described({ training: [] }),
  'A case listed twice': described({ training: [...soundTraining, entryOf('c')] }),
  'A listed image that is not there': dataSet((copy) => rm(image(copy))),
  'A listed label map that is not there': dataSet((copy) => rm(label(copy))),
  'No folder of images': unlisted((copy) => rm(join(copy, 'imagesTr'), { recursive: true })),
  'A label map without its image': unlisted((copy) => rm(image(copy))),
  'An image without its label map': unlisted((copy) => rm(label(copy))),
  'An image twice, packed and unpacked': unlisted((copy) =>
    writeFile(join(copy, 'imagesTr', 'c.nii'), gunzipSync(storedImage)),
  ),
  'A label map twice, packed and unpacked': unlisted((copy) =>
    writeFile(join(copy, 'labelsTr', 'c.nii'), gunzipSync(storedLabel)),
  ),
  'Two layouts at once': unlisted((copy) => cp(image(copy), join(copy, 'imagesTr', 'c_0000.nii.gz'))),
  'A channel file that is not there': channels((copy) => rm(second(copy))),
  'A channel file too many': channels((copy) => cp(second(copy), join(copy, 'imagesTr', 'c_0002.nii.gz'))),
  'Channels of different shapes': channels((copy) => writeStated(second(copy), { affine: straight(), ...other.image })),
  'Channels in different places': channels((copy) =>
    writeStated(second(copy), { affine: straight(1, 1, 1, 5), ...soundCase.image }),
  ),
  'A channel file of several channels': channels(async (copy) => {
    const two = boxCase('c', createRandom(1), [16, 16, 16], 2).image;
    for (const file of [second(copy), join(copy, 'imagesTr', 'c_0000.nii.gz')])
      await writeStated(file, { affine: straight(), ...two });
  }),
  'A case with more channels than the others': withCase(() => boxCase('c', createRandom(1), [16, 16, 16], 2)),
  'An image and a label map of different shapes': withCase(() => ({ label: other.label })),
  'An image and a label map in different places': withCase(({ label }) => ({
    label: { ...label, affine: straight(1, 1, 1, 3) },
  })),
  'A label map that lies a third of a voxel beside its image': withCase(({ label }) => ({
    label: { ...label, affine: straight(1, 1, 1, 0.3) },
  })),
  'A label map whose header is rounded': withCase(({ label }) => ({
    label: { ...label, affine: straight(1.000_002, 0.999_999, 1, 0.002) },
  })),
  'A label map in another voxel order': dataSet(async (copy) => {
    const stored = await readNifti(label(copy));
    const { shape, data, affine } = turnVolume(stored, turnTo(stored, 'SLP'));
    await writeNifti(label(copy), { shape, data, affine });
  }),
  'Fewer cases than folds, by inspect': async (folder) => [...(await dataSet(() => {})(folder)), '--folds', '9'],
  'Fewer cases than folds, by search': async (folder) => [...(await dataSet(() => {})(folder)), '--folds', '9'],
  'A label that no case has': described({ labels: { ...labels, 3: 'tail' } }),
  '--labels names no folder': async (folder) => {
    const [copy] = await dataSet(() => {})(folder);
    return [join(copy, 'imagesTr'), '--labels', join(copy, 'nowhere')];
  },
  'A label value beyond 32 bits, of folders': twoFolders((_, folder) =>
    writeStated(join(folder, 'c.nii.gz'), {
      affine: straight(),
      shape: soundCase.label.shape,
      data: Float64Array.from(soundCase.label.data, (value) => value * 3e9),
    }),
  ),
  'The folders of images and label maps exchanged': twoFolders(async (images, labels) => {
    const images2 = `${images}-exchanged`;
    await rename(images, images2);
    await rename(labels, images);
    await rename(images2, labels);
  }),
  'Nothing but empty label maps': twoFolders(async (_, labels) => {
    for (const { name, label } of sound) {
      const empty = new Uint8Array(label.data.length);
      await writeStated(join(labels, `${name}.nii.gz`), { affine: straight(), shape: label.shape, data: empty });
    }
  }),
  'Nothing but damaged label maps': twoFolders(async (_, labels) => {
    for (const { name } of sound) await writeFile(join(labels, `${name}.nii.gz`), 'no label map'.repeat(40));
  }),
  'A folder of images without one': twoFolders(async (images) => {
    await rm(images, { recursive: true });
    await mkdir(images);
    await writeFile(join(images, 'c.dcm'), 'DICM');
  }),
  'Spaces and letters of all kinds in the path': async (folder) => {
    const [copy] = await dataSet(() => {})(folder);
    const odd = join(folder, "Größe 3 – 'été' 患者 #1%20");
    await rename(copy, odd);
    return [odd];
  },
};
