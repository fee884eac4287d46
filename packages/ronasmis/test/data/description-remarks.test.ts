import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { describeAs, readDescribed } from './described.ts';

const folder = join(await temporaryFolder(), 'boxes');
const names = ['a', 'b', 'c'];

beforeEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await writeDataSet(
    folder,
    names.map((name, i) => boxCase(name, createRandom(i))),
  );
});

const describedAs = (description: object) => describeAs(folder, description);

const read = () => readDescribed(folder);

const sound = names.map((name) => [name, `imagesTr/${name}.nii.gz`, `labelsTr/${name}.nii.gz`]);

describe('what stands in dataset.json and has no consequence is said', () => {
  it.each<[string, object, readonly string[]]>([
    [
      'what data sets say of themselves',
      { description: 'x', reference: 'x', licence: 'x', relase: '1.0', tensorImageSize: '3D', numTest: 0, test: [] },
      [],
    ],
    [
      "nnU-Net's other keys",
      { numTraining: 3, file_ending: '.NII.gz', overwrite_image_reader_writer: 'SimpleITKIO', license: 'x' },
      [],
    ],
    [
      'settings of other programs',
      { ignore_label: 255, spacing: [1, 1, 1] },
      ['dataset.json: "ignore_label", "spacing": nothing follows from it here. Correct the name or remove it.'],
    ],
    [
      'a misspelt key',
      { channel_name: { 0: 'CT' } },
      ['dataset.json: "channel_name": nothing follows from it here. Correct the name or remove it.'],
    ],
    [
      "nnU-Net's normalisations",
      { channel_names: { 0: 'noNorm' } },
      ['dataset.json: channels called noNorm are z-scored here as others are. Call them by what they show.'],
    ],
    [
      'another number of cases',
      { numTraining: 5 },
      ['dataset.json: "numTraining" is 5, but there are 3 cases. Correct it, or look for what is missing.'],
    ],
    [
      'another number of cases, as text',
      { numTraining: '2' },
      ['dataset.json: "numTraining" is 2, but there are 3 cases. Correct it, or look for what is missing.'],
    ],
  ])('%s', async (_, description, problems) => {
    await describedAs(description);
    expect(await read()).toMatchObject({ cases: sound, problems });
  });

  it('but where all scans have another ending, they are taken', async () => {
    await describedAs({ file_ending: '.nrrd' });
    expect(await read()).toMatchObject({ cases: sound, problems: [] });
  });

  it('and so is what lies beside the scans', async () => {
    await describedAs({ file_ending: '.nii.gz' });
    await writeFile(join(folder, 'imagesTr', 'd.nrrd'), '');
    await writeFile(join(folder, 'labelsTr', 'd.hdr'), '');
    expect((await read()).problems).toEqual(
      [
        'imagesTr: passed over, for "file_ending" in dataset.json is .nii.gz: d.nrrd. Convert or remove them, or correct it.',
        'labelsTr: files that look like scans, but are none by the endings of their names: d.hdr. They are passed over; convert them to .nii.gz, or remove them.',
      ].map((message) => expect.stringContaining(message)),
    );
  });
});
