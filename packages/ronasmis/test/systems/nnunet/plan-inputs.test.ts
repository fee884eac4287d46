import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readerOf, readPlanInputs } from '../../../src/systems/nnunet/plan-inputs.ts';
import { temporaryFolder } from '../../formats/scans.ts';
import { dataset, fingerprint } from './described.ts';

const root = await temporaryFolder();
const folder = join(root, 'Dataset009_Boxes');
await mkdir(folder);

/** Writes both files, and reads them. */
async function read(changed: { readonly fingerprint?: unknown; readonly dataset?: unknown } = {}) {
  const [fingerprintFile, datasetFile] = ['dataset_fingerprint.json', 'dataset.json'].map((name) => join(folder, name));
  await writeFile(fingerprintFile, JSON.stringify(changed.fingerprint ?? fingerprint));
  await writeFile(datasetFile, JSON.stringify(changed.dataset ?? dataset));
  return readPlanInputs(fingerprintFile, datasetFile);
}

it('reads what nnU-Net has written', async () => {
  expect(await read()).toEqual({
    fingerprint,
    dataset: { name: 'Dataset009_Boxes', channels: ['CT'], classes: 3, cases: 3, reader: 'SimpleITKIO' },
  });
});

it('takes the channels of an older dataset.json, and a reader that it names', async () => {
  const { channel_names: modality, ...others } = dataset;
  const older = { ...others, modality, overwrite_image_reader_writer: 'NibabelIOWithReorient' };
  expect((await read({ dataset: older })).dataset).toMatchObject({
    channels: ['CT'],
    reader: 'NibabelIOWithReorient',
  });
  const none = { ...dataset, overwrite_image_reader_writer: 'None' };
  expect((await read({ dataset: none })).dataset.reader).toBe('SimpleITKIO');
});

it('knows the readers of nnU-Net by the endings of files', () => {
  // nnunetv2 2.8.1: determine_reader_writer_from_file_ending
  expect(['.nii.gz', '.NRRD', '.nii', '.png', '.mhd'].map(readerOf)).toEqual([
    'SimpleITKIO',
    'SimpleITKIO',
    'NibabelIO',
    'NaturalImage2DIO',
    undefined,
  ]);
});

describe('refuses what is no fingerprint, or none of this data set', () => {
  it.each<[string, Parameters<typeof read>[0], RegExp]>([
    ['a list', { fingerprint: [] }, /fingerprint\.json is not what nnU-Net writes \(at the top: .*\)\. Give/],
    ['no shapes', { fingerprint: { ...fingerprint, shapes_after_crop: [] } }, /at shapes_after_crop: /],
    [
      'a shape of 0',
      { fingerprint: { ...fingerprint, shapes_after_crop: [[0, 9, 9]] } },
      /at shapes_after_crop\.0\.0: /,
    ],
    [
      'a spacing of 0',
      { fingerprint: { ...fingerprint, spacings: [[1, 0, 1]] } },
      /at spacings\.0: spacings are above 0/,
    ],
    ['a spacing too few', { fingerprint: { ...fingerprint, spacings: [[1, 1, 1]] } }, /not as many spacings as shapes/],
    [
      'a channel too few',
      { dataset: { ...dataset, channel_names: { 0: 'CT', 1: 'PET' } } },
      /fingerprint has intensities of 1 channel, .*dataset\.json names 2\. Give the two files of one data set\./,
    ],
    ['no channels', { dataset: { ...dataset, channel_names: undefined } }, /channel_names is missing/],
    ['no label', { dataset: { ...dataset, labels: { background: 0 } } }, /at labels: it lists no label/],
    [
      'an ending that nnU-Net does not read',
      { dataset: { ...dataset, file_ending: '.jpg' } },
      /"file_ending" is \.jpg; /,
    ],
  ])('%s', async (_, changed, said) => {
    await expect(read(changed)).rejects.toThrow(said);
    await expect(read(changed)).rejects.toMatchObject({ name: 'UserError' });
  });

  it('a file that is not there, a folder, and what is no JSON', async () => {
    const file = join(root, 'dataset_fingerprint.json');
    await expect(readPlanInputs(file, file)).rejects.toThrow(`${file}: there is no such file. Check --fingerprint.`);
    await expect(readPlanInputs(root, file)).rejects.toThrow(`${root}: this is a folder.`);
    await writeFile(file, '{"spacings": [');
    await expect(readPlanInputs(file, file)).rejects.toThrow(`${file} is not what nnU-Net writes (this is not valid`);
  });
});
