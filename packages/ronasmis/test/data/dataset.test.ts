import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { createRandom } from '../../src/base/random.ts';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const root = await temporaryFolder();
const folder = join(root, 'boxes');
const cases = ['b', 'a', 'c'].map((name) => boxCase(name, createRandom(1)));

beforeEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await writeDataSet(folder, cases);
});

const describedAs = (description: unknown) => writeFile(join(folder, 'dataset.json'), JSON.stringify(description));
const labels = { 0: 'background', 1: 'box' };

describe('a whole data set', () => {
  test('is read with its cases by name and its labels by value', async () => {
    await writeDataSet(folder, cases, { labels: { 7: 'far', 0: 'background', 2: 'near' }, anything: 'else' });
    const dataSet = await readDataSet(folder);
    expect(dataSet.name).toBe('Boxes');
    expect(dataSet.channels).toEqual(['MRI']);
    expect(dataSet.labels.map(({ value }) => value)).toEqual([0, 2, 7]);
    expect(dataSet.cases.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(dataSet.cases[0].images).toEqual([join(folder, 'imagesTr', 'a.nii.gz')]);
    expect(dataSet.channelFiles).toBe(false);
  });

  test('without a list of cases is what its folders hold, hidden files apart', async () => {
    await describedAs({ labels, channel_names: { 1: 'T2', 0: 'T1' } });
    await writeFile(join(folder, 'imagesTr', '._a.nii.gz'), '');
    const dataSet = await readDataSet(folder);
    expect([dataSet.name, dataSet.channels]).toEqual(['boxes', ['T1', 'T2']]);
    expect(dataSet.cases.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(dataSet.cases[2].label).toBe(join(folder, 'labelsTr', 'c.nii.gz'));
  });
});

describe('a data set in the layout of nnU-Net v2', () => {
  const nnunet = {
    channel_names: { 0: 'T1', 1: 'T2' },
    labels: { background: 0, box: 1, core: 2 },
    numTraining: 3,
    file_ending: '.nii.gz',
  };
  beforeEach(async () => {
    for (const name of ['a', 'b', 'c']) {
      const image = join(folder, 'imagesTr', `${name}.nii.gz`);
      await cp(image, join(folder, 'imagesTr', `${name}_0001.nii.gz`));
      await rename(image, join(folder, 'imagesTr', `${name}_0000.nii.gz`));
    }
    await describedAs(nnunet);
  });

  test('is read with a file for each channel, and its labels by name', async () => {
    const dataSet = await readDataSet(folder);
    expect(dataSet).toMatchObject({ channels: ['T1', 'T2'], channelFiles: true });
    expect(dataSet.labels).toEqual([
      { value: 0, name: 'background' },
      { value: 1, name: 'box' },
      { value: 2, name: 'core' },
    ]);
    expect(dataSet.cases.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(dataSet.cases[1]).toEqual({
      name: 'b',
      images: [0, 1].map((channel) => join(folder, 'imagesTr', `b_000${channel}.nii.gz`)),
      label: join(folder, 'labelsTr', 'b.nii.gz'),
    });
  });

  test('may list regions, which are scored, of labels that the network tells apart', async () => {
    const labels = { background: 0, 'whole tumour': [1, 2, 3], 'tumour core': [2, 3], enhancing: 3, ignore: 4 };
    await describedAs({ ...nnunet, labels, regions_class_order: [1, 2, 3] });
    const dataSet = await readDataSet(folder);
    expect(dataSet.labels).toEqual([
      { value: 0, name: 'background' },
      { value: 1, name: 'label 1' },
      { value: 2, name: 'label 2' },
      { value: 3, name: 'enhancing' },
    ]);
    expect(dataSet.regions).toEqual([
      { name: 'whole tumour', values: [1, 2, 3] },
      { name: 'tumour core', values: [2, 3] },
      { name: 'enhancing', values: [3] },
    ]);
    expect(dataSet.ignoredValue).toBe(4);
  });

  test('without regions of several values scores its labels', async () => {
    await describedAs({ ...nnunet, labels: { background: 0, box: [1], core: 2 } });
    expect(await readDataSet(folder)).toMatchObject({ regions: [], labels: [{}, { name: 'box', value: 1 }, {}] });
  });

  test('may have a case whose own name ends in a number', async () => {
    await writeDataSet(folder, [boxCase('case_0003', createRandom(1))], { training: undefined });
    for (const name of ['a', 'b', 'c']) {
      await rm(join(folder, 'labelsTr', `${name}.nii.gz`));
      for (const channel of [0, 1]) await rm(join(folder, 'imagesTr', `${name}_000${channel}.nii.gz`));
    }
    const { cases, channelFiles } = await readDataSet(folder);
    expect([channelFiles, cases.map(({ name }) => name)]).toEqual([false, ['case_0003']]);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'a channel gone',
      () => rm(join(folder, 'imagesTr', 'b_0001.nii.gz')),
      'b_0000.nii.gz: of its scan, which needs 2 channel files, b_0001 is not there. Add or remove files.',
    ],
    ['a channel too many', () => describedAs({ ...nnunet, channel_names: { 0: 'CT' } }), 'there are 2 files.'],
    [
      'files of another kind',
      () => describedAs({ ...nnunet, file_ending: '.png' }),
      '"file_ending" is .png, not one of',
    ],
    [
      'a region of nothing',
      () => describedAs({ ...nnunet, labels: { background: 0, box: 1, whole: [] } }),
      'at labels.whole',
    ],
    [
      'two values to ignore',
      () => describedAs({ ...nnunet, labels: { background: 0, box: 1, ignore: [2, 3] } }),
      '"labels" lists 2 values to ignore.',
    ],
    [
      'a value that is both ignored and not',
      () => describedAs({ ...nnunet, labels: { background: 0, box: 1, core: 2, ignore: 2 } }),
      'the value 2 more than once.',
    ],
    [
      'a value twice',
      () => describedAs({ ...nnunet, labels: { background: 0, box: 1, core: 1 } }),
      'the value 1 more than once.',
    ],
    [
      'a label gone',
      () => rm(join(folder, 'labelsTr', 'a.nii.gz')),
      'a_0000.nii.gz: no label of this name in labelsTr.',
    ],
  ])('%s is said', async (_, spoil, expected) => {
    await spoil();
    const error = await readDataSet(folder).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain(expected);
  });
});

describe('a folder of images and one of label maps', () => {
  const [images, maps] = [join(root, 'scans'), join(root, 'masks')];
  beforeEach(async () => {
    for (const other of [images, maps]) await rm(other, { recursive: true, force: true });
    await rename(join(folder, 'imagesTr'), images);
    await rename(join(folder, 'labelsTr'), maps);
  });

  test('are read without a dataset.json: channels by the first image, labels by what the maps hold', async () => {
    const dataSet = await readDataSet(images, maps);
    expect(dataSet).toMatchObject({ name: 'scans', folder: images, channels: ['channel 0'], channelFiles: false });
    expect(dataSet.labels).toEqual([
      { value: 0, name: 'background' },
      { value: 1, name: 'label 1' },
      { value: 2, name: 'label 2' },
    ]);
    expect(dataSet.cases[2]).toEqual({
      name: 'c',
      images: [join(images, 'c.nii.gz')],
      label: join(maps, 'c.nii.gz'),
    });
  });

  test('may have a file for each channel', async () => {
    for (const name of ['a', 'b', 'c']) {
      await cp(join(images, `${name}.nii.gz`), join(images, `${name}_0001.nii.gz`));
      await rename(join(images, `${name}.nii.gz`), join(images, `${name}_0000.nii.gz`));
    }
    const { channels, channelFiles, cases } = await readDataSet(images, maps);
    expect([channels, channelFiles, cases.length]).toEqual([['channel 0', 'channel 1'], true, 3]);
    await rm(join(images, 'b_0001.nii.gz'));
    await expect(readDataSet(images, maps)).rejects.toThrow(/b_0000.* needs 2 channel files, b_0001 is not there/);
  });

  test('that do not belong together are refused', async () => {
    await expect(readDataSet(images, join(root, 'nowhere'))).rejects.toThrow(/nowhere: there is no such folder/);
    const larger = ['a', 'b'].map((name) => boxCase(name, createRandom(1), [12, 12, 12]));
    await writeDataSet(folder, larger);
    const swapped = readDataSet(join(folder, 'labelsTr'), join(folder, 'imagesTr'));
    await expect(swapped).rejects.toThrow(/this is no label map, for it holds \d+ different values/);
    await rm(join(maps, 'b.nii.gz'));
    await expect(readDataSet(images, maps)).rejects.toThrow(/b\.nii\.gz: no label of this name in masks\. Add it/);
  });

  test('a label that can not be read is left to the check', async () => {
    await writeFile(join(maps, 'b.nii.gz'), 'no gzip');
    const dataSet = await readDataSet(images, maps);
    expect(dataSet.labels).toHaveLength(3);
    const { problems } = await checkDataSet(dataSet, { folds: 2 });
    expect(problems[0].message).toMatch(/b\.nii\.gz/);
  });
});

describe('label maps of which none has labels', () => {
  test('are empty, or could not be read, which is said of each', async () => {
    for (const name of ['a', 'b', 'c']) await writeFile(join(folder, 'labelsTr', `${name}.nii.gz`), 'no gzip');
    const read = readDataSet(join(folder, 'imagesTr'), join(folder, 'labelsTr'));
    await expect(read).rejects.toThrow(/a\.nii\.gz: .*\n.*b\.nii\.gz: .*\n.*c\.nii\.gz: /);
  });
});

describe('what is missing or wrong is said', () => {
  const entry = (name: string) => ({ image: `./imagesTr/${name}.nii.gz`, label: `./labelsTr/${name}.nii.gz` });
  test.each<[string, () => Promise<unknown>, string]>([
    ['no folder', () => rm(folder, { recursive: true }), 'there is no such folder'],
    ['no dataset.json', () => rm(join(folder, 'dataset.json')), 'holds no readable dataset.json'],
    ['no JSON', () => writeFile(join(folder, 'dataset.json'), '{"labels": '), 'dataset.json: this is not valid JSON'],
    ['no labels', () => describedAs({}), 'dataset.json: at labels:'],
    ['labels the other way round', () => describedAs({ labels: { liver: '1' } }), 'whole numbers as keys'],
    ['no background', () => describedAs({ labels: { 1: 'box' } }), 'does not list 0'],
    ['background alone', () => describedAs({ labels: { 0: 'background' } }), 'the background only'],
    [
      'more labels than a uint8 has room for',
      () => describedAs({ labels: Object.fromEntries(Array.from({ length: 257 }, (_, value) => [value, 'a part'])) }),
      'lists 257 labels; at most 255 are possible',
    ],
    ['no cases', () => describedAs({ labels, training: [] }), 'no training cases'],
    ['a case twice', () => describedAs({ labels, training: ['a', 'a'].map(entry) }), 'a is listed more than once'],
    [
      'labels that are no object, and a list of cases that is none',
      () => describedAs({ labels: 1, training: 2 }),
      'at training',
    ],
    [
      'a label without its image',
      async () => {
        await describedAs({ labels });
        await rename(join(folder, 'imagesTr', 'a.nii.gz'), join(folder, 'a.nii.gz'));
      },
      'labelsTr/a.nii.gz: no image of this name in imagesTr',
    ],
    [
      'an image without its label',
      async () => {
        await describedAs({ labels });
        await cp(join(folder, 'imagesTr', 'a.nii.gz'), join(folder, 'imagesTr', 'd.nii.gz'));
      },
      'imagesTr/d.nii.gz: no label of this name in labelsTr',
    ],
    [
      'labels and images without each other, all of them',
      async () => {
        await describedAs({ labels });
        await rm(join(folder, 'imagesTr', 'a.nii.gz'));
        for (const name of ['b', 'c']) await rm(join(folder, 'labelsTr', `${name}.nii.gz`));
      },
      [
        `labelsTr/a.nii.gz: no image of this name in imagesTr. Add it or remove the file.\n${folder}/imagesTr/b.nii.gz, `,
        `${folder}/imagesTr/c.nii.gz: no label of this name in labelsTr. Add it or remove the file.`,
      ].join(''),
    ],
    [
      'no image folder',
      async () => {
        await rm(folder, { recursive: true });
        await mkdir(folder);
        await describedAs({ labels });
      },
      'imagesTr: there is no such folder',
    ],
  ])('%s', async (_, spoil, sentence) => {
    await spoil();
    await expect(readDataSet(folder)).rejects.toThrow(sentence);
    await expect(readDataSet(folder)).rejects.toThrow(/^.*boxes.*\.$/s);
  });
});
