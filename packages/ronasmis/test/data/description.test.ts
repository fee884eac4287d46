import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLabelValue, readDescription } from '../../src/data/description.ts';
import { temporaryFolder } from '../formats/scans.ts';

const folder = await temporaryFolder();
const file = join(folder, 'dataset.json');
const labels = { 0: 'background', 1: 'box', 2: 'core' };
const read = async (description: object) => {
  await writeFile(file, JSON.stringify({ labels, ...description }));
  return readDescription(folder);
};

describe('dataset.json', () => {
  it('is read as the Decathlon writes it', async () => {
    const training = [{ image: './imagesTr/a.nii.gz', label: './labelsTr/a.nii.gz' }];
    expect(await read({ name: 'Boxes', modality: { 1: 'T2', 0: 'T1' }, numTraining: 1, training })).toEqual({
      name: 'Boxes',
      channels: ['T1', 'T2'],
      labels: [
        { value: 0, name: 'background' },
        { value: 1, name: 'box' },
        { value: 2, name: 'core' },
      ],
      regions: [],
      listed: [{ images: ['./imagesTr/a.nii.gz'], label: './labelsTr/a.nii.gz' }],
      fileEnding: undefined,
      numTraining: 1,
      remarks: [],
    });
  });

  it('is read as nnU-Net writes it, with regions and a value to ignore', async () => {
    const regions = { background: 0, whole: [1, 2], core: 2, ignore: 3 };
    expect(await read({ channel_names: { 0: 'CT' }, labels: regions, file_ending: '.mha' })).toMatchObject({
      channels: ['CT'],
      labels: [
        { value: 0, name: 'background' },
        { value: 1, name: 'label 1' },
        { value: 2, name: 'core' },
      ],
      regions: [
        { name: 'whole', values: [1, 2] },
        { name: 'core', values: [2] },
      ],
      ignoredValue: 3,
      fileEnding: '.mha',
    });
  });

  it('may be in UTF-16, as editors of Windows write it', async () => {
    await writeFile(file, Buffer.from(`\uFEFF${JSON.stringify({ name: 'Größe', labels })}`, 'utf16le'));
    expect((await readDescription(folder)).name).toBe('Größe');
  });

  it.each<[object, string]>([
    [{ labels: { 1: 'box' } }, '"labels" does not list 0.'],
    [{ labels: { 0: 'background' } }, '"labels" lists the background only.'],
    [{ labels: { background: 0, a: 1, b: 1 } }, '"labels" lists the value 1 more than once.'],
    [{ labels: { background: 0, a: 1, ignore: 1 } }, '"labels" lists the value 1 more than once.'],
    [{ labels: { background: 0, a: 1, ignore: [2, 3] } }, '"labels" lists 2 values to ignore.'],
    [{ labels: { 0: 'background', 2147483648: 'a' } }, '2147483647 is the largest possible'],
    [{ labels: Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`l${i}`, i])) }, 'at most 255 are possible'],
    [{ labels: { box: 'one' } }, 'at labels: labels are listed as'],
    [{ file_ending: '.png' }, '"file_ending" is .png, not one of .nii.gz, '],
  ])('with %j is refused', async (description, sentence) => {
    await expect(read(description)).rejects.toThrow(sentence);
    await expect(read(description)).rejects.toThrow(file);
  });
});

it('labels are whole numbers that an int32 holds', () => {
  expect([0, 1, 2 ** 31 - 1, 2 ** 31, -1, 0.5].map(isLabelValue)).toEqual([true, true, true, false, false, false]);
});
