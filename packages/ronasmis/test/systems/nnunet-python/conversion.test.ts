import { mkdir, stat, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { loadCase, turnCase } from '../../../src/data/case.ts';
import { readDataSet } from '../../../src/data/dataset.ts';
import { writePhantomDataSet } from '../../../src/data/phantom.ts';
import type { Affine } from '../../../src/formats/affine.ts';
import { readNifti } from '../../../src/formats/nifti.ts';
import { convertCase, convertImage } from '../../../src/systems/nnunet-python/conversion.ts';
import { realDataSets, straight, temporaryFolder, writeDataSet, writeStated } from '../../formats/scans.ts';

const root = await temporaryFolder();

/** A folder of images and one of labels. */
async function emptyFolders(name: string) {
  const [images, labels] = ['imagesTr', 'labelsTr'].map((folder) => join(root, name, folder));
  for (const folder of [images, labels]) await mkdir(folder, { recursive: true });
  return { images, labels };
}

/** Converts the first case of a data set, turned in between as the checks turn it. */
async function converted(dataSetFolder: string, orientation = 'LPS') {
  const dataSet = await readDataSet(dataSetFolder);
  const result = await loadCase(dataSet.cases[0]);
  if (result.kind !== 'loaded') throw new Error(result.problems[0].message);
  const folders = await emptyFolders(`${basename(dataSetFolder)} for nnU-Net`);
  const files = await convertCase(turnCase(result.loaded, orientation), folders, dataSet);
  return { files, label: join(folders.labels, `${dataSet.cases[0].name}.nii.gz`), source: dataSet.cases[0] };
}

it('a scan of several channels becomes a file each, and its label map a link', async () => {
  const folder = join(root, 'phantom');
  await writePhantomDataSet(folder, { cases: 1, seed: 3 });
  const { files, label, source } = await converted(folder);
  expect(files.map((file) => basename(file))).toEqual(['phantom_001_0000.nii.gz', 'phantom_001_0001.nii.gz']);
  const image = await readNifti(source.images[0]);
  const channels = await Promise.all(files.map(readNifti));
  for (const channel of channels)
    expect(channel).toMatchObject({ shape: image.shape, channels: 1, affine: image.affine });
  expect(channels.flatMap(({ data }) => [...data])).toEqual([...image.data]);
  expect((await stat(label)).ino).toBe((await stat(source.label)).ino);
});

/** Label values with gaps, and one to be ignored. */
const values = { labels: { background: 0, organ: 3, ignore: 5 } };
const image = { shape: [3, 2, 2], data: Int16Array.from({ length: 12 }, (_, i) => i) };
const stored = [0, 3, 5, 0, 3, 3, 0, 0, 0, 5, 0, 3];
const indices = [0, 1, 2, 0, 1, 1, 0, 0, 0, 2, 0, 1];

it('labels become class indices, what is ignored the one behind the last', async () => {
  const label = { shape: [3, 2, 2], data: Uint8Array.from(stored) };
  const folder = await writeDataSet(join(root, 'gaps'), [{ name: 'case', image, label }], values);
  const { files, ...made } = await converted(folder);
  expect([...(await readNifti(made.label)).data]).toEqual(indices);
  // The image is as nnU-Net wants it.
  expect((await stat(files[0])).ino).toBe((await stat(made.source.images[0])).ino);
});

it('a label map in another voxel order than its scan is brought into that of the scan, and of this nothing is turned', async () => {
  const mirrored: Affine = [
    [-1, 0, 0, 2],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ];
  const rows = [0, 1, 2, 3].map((row) => stored.slice(3 * row, 3 * row + 3));
  const label = { shape: [3, 2, 2], data: Uint8Array.from(rows.flatMap((row) => row.toReversed())), affine: mirrored };
  const folder = await writeDataSet(join(root, 'mirrored'), [{ name: 'case', image, label }], values);
  const { files, ...made } = await converted(folder);
  const written = await readNifti(made.label);
  expect([...written.data]).toEqual(indices);
  expect(written.affine).toEqual(straight());
  expect((await stat(files[0])).ino).toBe((await stat(made.source.images[0])).ino);
});

it('a file that is reached by a link is given as the file, for a relative link leads elsewhere from another folder', async () => {
  const folder = join(root, 'linked');
  await mkdir(join(folder, 'to'), { recursive: true });
  await writeStated(join(folder, 'real.nii.gz'), { ...image, affine: straight() });
  await symlink('real.nii.gz', join(folder, 'scan.nii.gz'));
  const scan = join(folder, 'scan.nii.gz');
  const [file] = await convertImage('scan', [scan], join(folder, 'to'), () => readNifti(scan));
  expect([...(await readNifti(file)).data]).toEqual([...image.data]);
});

it('an unpacked file is packed, for all files have one ending', async () => {
  const folder = join(root, 'unpacked');
  await mkdir(join(folder, 'to'), { recursive: true });
  const scan = join(folder, 'scan.nii');
  await writeStated(scan, { ...image, affine: straight() });
  const [file] = await convertImage('scan', [scan], join(folder, 'to'), () => readNifti(scan));
  expect(basename(file)).toBe('scan_0000.nii.gz');
  expect([...(await readNifti(file)).data]).toEqual([...image.data]);
});

if (realDataSets.length === 0) console.warn('Skipping real scans: RONASMIS_TEST_DATA names no folder with data sets.');

it.each(realDataSets.map((folder) => [basename(folder), folder]))(
  'a case of %s has the voxels that its files have, by class index (needs RONASMIS_TEST_DATA)',
  async (_, folder) => {
    const { labels, channels } = await readDataSet(folder);
    const { files, label, source } = await converted(folder);
    const scans = await Promise.all(source.images.map(readNifti));
    const written = await Promise.all(files.map(readNifti));
    expect(written).toHaveLength(channels.length);
    const sum = (all: readonly { readonly data: ArrayLike<number> }[]) =>
      all.reduce((total, { data }) => total + Array.from(data).reduce((one, value) => one + value, 0), 0);
    expect(sum(written)).toBe(sum(scans));
    const expected = Array.from((await readNifti(source.label)).data, (value) =>
      labels.findIndex((one) => one.value === value),
    );
    expect(Buffer.from(Array.from((await readNifti(label)).data)).equals(Buffer.from(expected))).toBe(true);
  },
);
