import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { describeAs, readDescribed } from './described.ts';

const folder = join(await temporaryFolder(), 'boxes');
const names = ['a', 'b', 'c'];
const entry = (name: string) => ({ image: `imagesTr/${name}.nii.gz`, label: `labelsTr/${name}.nii.gz` });

beforeEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await writeDataSet(
    folder,
    names.map((name, i) => boxCase(name, createRandom(i))),
  );
});

const describedAs = (description: object) => describeAs(folder, description);

async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(join(folder, to)), { recursive: true });
  await rename(join(folder, from), join(folder, to));
}

const read = () => readDescribed(folder);

const sound = names.map((name) => [name, `imagesTr/${name}.nii.gz`, `labelsTr/${name}.nii.gz`]);

describe("nnU-Net v1's list", () => {
  it('stands for the channel files of its cases', async () => {
    for (const name of names) await move(`imagesTr/${name}.nii.gz`, `imagesTr/${name}_0000.nii.gz`);
    await describedAs({ training: names.map(entry), numTraining: 3 });
    expect(await read()).toEqual({
      cases: names.map((name) => [name, `imagesTr/${name}_0000.nii.gz`, `labelsTr/${name}.nii.gz`]),
      channelFiles: true,
      problems: [],
    });
    await writeDataSet(
      join(folder, 'second'),
      names.map((name, i) => boxCase(name, createRandom(9 + i))),
    );
    for (const name of ['a', 'b']) await move(`second/imagesTr/${name}.nii.gz`, `imagesTr/${name}_0001.nii.gz`);
    const modality = { 0: 'T1', 1: 'T2' };
    await describedAs({ training: ['a', 'b'].map(entry), modality });
    expect((await read()).cases[1]).toEqual([
      'b',
      'imagesTr/b_0000.nii.gz',
      'imagesTr/b_0001.nii.gz',
      'labelsTr/b.nii.gz',
    ]);
    await describedAs({ training: names.map(entry), modality });
    await expect(readDataSet(folder)).rejects.toThrow(/c_0000.* needs 2 channel files, c_0001 is not there/);
  });

  it('of files that are there is taken as it is', async () => {
    await describedAs({ training: names.map(entry) });
    expect(await read()).toEqual({ cases: sound, channelFiles: false, problems: [] });
  });
});

describe("nnU-Net v2's list", () => {
  it('says which cases there are, what they are called and where their files lie', async () => {
    await move('imagesTr/a.nii.gz', 'elsewhere/first.nii.gz');
    const dataset = {
      patient_1: { images: ['elsewhere/first.nii.gz'], label: './labelsTr/a.nii.gz' },
      patient_2: { images: ['imagesTr/b.nii.gz', 'imagesTr/c.nii.gz'], label: 'labelsTr/b.nii.gz' },
    };
    await describedAs({ dataset, channel_names: { 0: 'MRI' } });
    const { cases, channelFiles, problems } = await read();
    expect([cases, channelFiles]).toEqual([
      [
        ['patient_1', 'elsewhere/first.nii.gz', 'labelsTr/a.nii.gz'],
        ['patient_2', 'imagesTr/b.nii.gz', 'imagesTr/c.nii.gz', 'labelsTr/b.nii.gz'],
      ],
      false,
    ]);
    expect(problems).toContainEqual(
      expect.stringMatching(/^imagesTr\/b\.nii\.gz: it has 2 channels, but dataset\.json lists 1 \(MRI\)/),
    );
  });

  it('may name channel files, by which scans are then segmented', async () => {
    for (const name of names) await move(`imagesTr/${name}.nii.gz`, `imagesTr/${name}_0000.nii.gz`);
    const dataset = (prefix: string) =>
      Object.fromEntries(
        names.map((name) => [
          `${name}${prefix}`,
          { images: [`imagesTr/${name}_0000.nii.gz`], label: `labelsTr/${name}.nii.gz` },
        ]),
      );
    await describedAs({ dataset: dataset('') });
    expect((await read()).channelFiles).toBe(true);
    // What ends in a number may also be called so.
    await describedAs({ dataset: dataset('_0000') });
    expect((await read()).channelFiles).toBe(false);
  });

  it('is taken in place of a "training" beside it, which is said', async () => {
    const dataset = Object.fromEntries(
      names.map((name) => [name, { images: [`imagesTr/${name}.nii.gz`], label: `labelsTr/${name}.nii.gz` }]),
    );
    await describedAs({ dataset, training: [entry('a')] });
    const { cases, problems } = await read();
    expect([cases, problems]).toEqual([
      sound,
      ['dataset.json: "training" is passed over, for "dataset" lists the cases too. Keep one of the two.'],
    ]);
    await describedAs({ dataset: { 'a/b': dataset.a } });
    await expect(readDataSet(folder)).rejects.toThrow(
      /at dataset: names of cases become those of files: they hold no \/ and/,
    );
  });
});

describe('paths are found', () => {
  it.each<[string, (path: string) => string]>([
    ['with backslashes', (path) => path.replaceAll('/', '\\')],
    ['that begin with a dot and a backslash', (path) => `.\\${path.replaceAll('/', '\\')}`],
  ])('%s', async (_, written) => {
    const training = names.map(entry).map(({ image, label }) => ({ image: written(image), label: written(label) }));
    await describedAs({ training });
    expect(await read()).toEqual({ cases: sound, channelFiles: false, problems: [] });
  });

  it.each([
    ['NFC', 'NFD'],
    ['NFD', 'NFC'],
  ])('that are listed in %s and stored in %s', async (listed, stored) => {
    await move('imagesTr/a.nii.gz', `Bilder ä/é.nii.gz`.normalize(stored));
    await move('labelsTr/a.nii.gz', `labelsTr/é.nii.gz`.normalize(stored));
    const training = [
      { image: 'Bilder ä/é.nii.gz'.normalize(listed), label: 'labelsTr/é.nii.gz'.normalize(listed) },
      entry('b'),
      entry('c'),
    ];
    await describedAs({ training });
    const { cases, problems } = await read();
    expect(problems).toEqual([]);
    expect(cases[2]).toEqual([
      'é'.normalize('NFC'),
      `Bilder ä/é.nii.gz`.normalize(stored),
      `labelsTr/é.nii.gz`.normalize(stored),
    ]);
  });

  it('of images and label maps whose accents are stored differently', async () => {
    await move('imagesTr/a.nii.gz', `imagesTr/${'é'.normalize('NFD')}.nii.gz`);
    await move('labelsTr/a.nii.gz', `labelsTr/${'é'.normalize('NFC')}.NII.GZ`);
    await describedAs({});
    expect((await read()).cases.map(([name]) => name)).toEqual(['b', 'c', 'é'.normalize('NFC')]);
  });
});

it('patients whose files are called the same are named by their folders', async () => {
  for (const name of names) {
    await move(`imagesTr/${name}.nii.gz`, `P_${name}/imaging.nii.gz`);
    await move(`labelsTr/${name}.nii.gz`, `P_${name}/segmentation.nii.gz`);
  }
  const files = (name: string) => [`P_${name}/imaging.nii.gz`, `P_${name}/segmentation.nii.gz`];
  await describedAs({ training: names.map(files).map(([image, label]) => ({ image, label })) });
  expect(await read()).toEqual({
    cases: names.map((name) => [`P_${name}`, ...files(name)]),
    channelFiles: false,
    problems: [],
  });
  for (const name of names) {
    await move(`P_${name}/imaging.nii.gz`, `imagesTr/P_${name}/imaging.nii.gz`);
    await move(`P_${name}/segmentation.nii.gz`, `labelsTr/P_${name}/segmentation.nii.gz`);
    await rm(join(folder, `P_${name}`), { recursive: true });
  }
  await describedAs({});
  expect((await read()).cases.map(([name]) => name)).toEqual(['P_a', 'P_b', 'P_c']);
});

it('an image may be listed as a file for each channel, as MONAI does', async () => {
  const image = (name: string) => [`imagesTr/${name}_t1.nii.gz`, `imagesTr/${name}_t2.nii.gz`];
  for (const name of names) await move(`imagesTr/${name}.nii.gz`, image(name)[0]);
  await writeDataSet(
    join(folder, 'second'),
    names.map((name, i) => boxCase(name, createRandom(9 + i))),
  );
  for (const name of names) await move(`second/imagesTr/${name}.nii.gz`, image(name)[1]);
  const training = names.map((name, fold) => ({ ...entry(name), image: image(name), fold }));
  await describedAs({ training, channel_names: { 0: 'T1', 1: 'T2' } });
  expect(await read()).toEqual({
    cases: names.map((name) => [`${name}_t1`, ...image(name), `labelsTr/${name}.nii.gz`]),
    channelFiles: true,
    problems: [
      'dataset.json: "fold" of the listed cases: nothing follows from it here. Remove it; --fold says who is tested.',
    ],
  });
});

it.skipIf(process.platform !== 'linux')('no case is dropped for its name', async () => {
  const latin1 = (sub: string) =>
    Buffer.concat([Buffer.from(`${folder}/${sub}/`), Buffer.from('Müller.nii.gz', 'latin1')]);
  for (const sub of ['imagesTr', 'labelsTr']) await rename(join(folder, sub, 'a.nii.gz'), latin1(sub));
  await describedAs({});
  expect(await readdir(join(folder, 'imagesTr'))).toHaveLength(3);
  await expect(readDataSet(folder)).rejects.toThrow(
    ['imagesTr', 'labelsTr']
      .map(
        (sub) =>
          `${folder}/${sub}/M\uFFFDller.nii.gz: its name is not written in UTF-8, so that it cannot be opened. Rename it.`,
      )
      .join('\n'),
  );
});
