import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { splitCases } from '../../src/data/folds.ts';
import { turnBetween, turnVoxels } from '../../src/formats/orientation.ts';
import { boxCase, realDataSets, straight, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const folder = join(await temporaryFolder(), 'boxes');
const random = createRandom(1);
const good = ['a', 'b', 'c', 'd'].map((name) => boxCase(name, random));

beforeEach(() => rm(folder, { recursive: true, force: true }));

async function problemsOf(cases: readonly TestCase[], folds = 3): Promise<readonly string[]> {
  await writeDataSet(folder, cases);
  const { problems } = await checkDataSet(await readDataSet(folder), { folds });
  return problems.map(({ severity, message }) => `${severity}: ${message.replaceAll(folder, '.')}`);
}

/** A copy of a volume with its first values replaced. */
const starting = <T extends Float32Array | Uint8Array>(values: T, first: readonly number[]): T => {
  values.set(first);
  return values;
};

test('a good data set has no problems, and each case is decoded and counted once', async () => {
  await writeDataSet(folder, good);
  const counted: number[] = [];
  const visited: string[] = [];
  const { problems, fingerprint } = await checkDataSet(await readDataSet(folder), {
    folds: 3,
    onCase: (done) => counted.push(done),
    visit: async ({ name }) => {
      visited.push(name);
    },
  });
  expect(problems).toEqual([]);
  expect(fingerprint?.cases).toBe(4);
  expect(counted).toEqual([1, 2, 3, 4]);
  expect(visited.sort()).toEqual(['a', 'b', 'c', 'd']);
});

test.each<[string, (image: TestCase['image'], label: TestCase['label']) => Partial<TestCase>, string]>([
  [
    'another label shape',
    () => ({ label: { shape: [8, 7, 5], data: new Uint8Array(280).fill(1) } }),
    'error: ./labelsTr/e.nii.gz: its 8 x 7 x 5 voxels do not fit the 8 x 7 x 6 of ./imagesTr/e.nii.gz. Export the label',
  ],
  [
    'another label affine',
    (_, label) => ({ label: { ...label, affine: straight(1, 1, 1, 0.5) } }),
    'error: ./labelsTr/e.nii.gz: its corners lie up to 0.500 mm (0.500 voxels) from those of ./imagesTr/e.nii.gz. Export',
  ],
  [
    'NaN voxels',
    ({ shape }) => ({ image: { shape, data: starting(new Float32Array(336).fill(2), [1, Number.NaN]) } }),
    'error: ./imagesTr/e.nii.gz: channel 0 holds voxels that are not numbers',
  ],
  [
    'infinite voxels',
    ({ shape }) => ({ image: { shape, data: starting(new Float32Array(336).fill(2), [Infinity]) } }),
    'error: ./imagesTr/e.nii.gz: channel 0 holds voxels that are not numbers',
  ],
  [
    'a label value that is not listed',
    (_, { shape }) => ({ label: { shape, data: starting(new Uint8Array(336), [9, 1]) } }),
    'error: ./labelsTr/e.nii.gz: it holds label values that dataset.json does not list: 9. Add',
  ],
  [
    'a label value that is no whole number',
    (_, { shape }) => ({ label: { shape, data: starting(new Float32Array(336), [0.5, 1]) } }),
    'error: ./labelsTr/e.nii.gz: it holds values that are no whole numbers that dataset.json does not list: 0.5. Add',
  ],
  [
    'an empty label',
    (_, { shape }) => ({ label: { shape, data: new Uint8Array(336) } }),
    'warning: .: nothing is labelled in e: each is learnt from as a scan without anything to be found.',
  ],
  [
    'a 2D image',
    () => ({
      image: { shape: [8, 7], data: Uint8Array.from({ length: 56 }, (_, i) => i) },
      label: { shape: [8, 7], data: new Uint8Array(56).fill(1) },
    }),
    'error: ./imagesTr/e.nii.gz: this is a 2D image (8 x 7 voxels). Give 3D scans',
  ],
  [
    'too many channels',
    () => boxCase('e', random, [8, 7, 6], 2),
    'error: ./imagesTr/e.nii.gz: it has 2 channels, but dataset.json lists 1 (MRI)',
  ],
  [
    'a constant image',
    ({ shape }) => ({ image: { shape, data: new Uint8Array(336).fill(3) } }),
    'warning: ./imagesTr/e.nii.gz: channel 0 is 3 everywhere.',
  ],
  [
    'other spacing',
    (image, label) => ({
      image: { ...image, affine: straight(1, 1, 4) },
      label: { ...label, affine: straight(1, 1, 4) },
    }),
    'warning: ./imagesTr/e.nii.gz: its spacing of 1 x 1 x 4 mm is far from the median',
  ],
  [
    'another orientation',
    (image, label) => ({
      image: { ...image, affine: straight(-1, 1, 1) },
      label: { ...label, affine: straight(-1, 1, 1) },
    }),
    'warning: ./imagesTr/e.nii.gz: its voxel axes point to LAS, those of most cases to RAS. It is turned to agree',
  ],
  [
    'the same scan, stored as other numbers',
    () => ({ image: { ...good[0].image, data: Float32Array.from(good[0].image.data) } }),
    'warning: ./imagesTr/e.nii.gz: it has the same voxels as ./imagesTr/a.nii.gz. Remove one',
  ],
])('%s', async (_, spoil, expected) => {
  const sound = boxCase('e', random);
  const problems = await problemsOf([...good, { ...sound, ...spoil(sound.image, sound.label), name: 'e' }]);
  expect(problems).toHaveLength(1);
  expect(problems[0].slice(0, expected.length)).toBe(expected);
});

test('the same scan in another orientation', async () => {
  const [shape, affine] = [good[0].image.shape, straight(1, 1, -1)];
  const data = turnVoxels(good[0].image.data, [6, 7, 8], turnBetween('RAS', 'RAI'));
  const copy = { name: 'e', image: { shape, data, affine }, label: { ...good[1].label, affine } };
  expect(await problemsOf([...good, copy])).toEqual([
    expect.stringContaining('its voxel axes point to RAI'),
    expect.stringContaining('e.nii.gz: it has the same voxels as ./imagesTr/a.nii.gz'),
  ]);
});

test('a label in the border of zeros that is cut off', async () => {
  const { image, label } = boxCase('e', random);
  const data = image.data.map((value, i) => (i % 8 < 3 ? 0 : value));
  const [first, ...others] = await problemsOf([...good, { name: 'e', image: { ...image, data }, label }]);
  expect(first).toBe(
    'warning: ./labelsTr/e.nii.gz: 24 of its 96 labelled voxels lie in the border where the image is 0, which is ' +
      "cut off: they can't be found. Check that label and image belong together.",
  );
  expect(others).toEqual([]);
});

test('fewer cases than folds, and classes that few cases have', async () => {
  expect(await problemsOf(good.slice(0, 2), 3)).toEqual([
    'error: .: it has 2 cases, fewer than the 3 folds. Add cases or lower --folds.',
  ]);
  const [one, { name, image, label }] = good;
  const empty = { ...label, data: new Uint8Array(label.data.length) };
  expect(await problemsOf([one, { name, image, label: empty }], 3)).toContain(
    'warning: .: label 1 (box) is in 1 of 2 cases: some folds will lack it. Add cases that show it.',
  );
});

test('every fold that a search refuses, for a part of it has nothing labelled', async () => {
  const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => boxCase(name, random));
  const names = cases.map(({ name }) => name);
  const refusals = async (empty: readonly string[]): Promise<readonly string[]> => {
    const emptied = cases.map(({ label, ...one }) => ({
      ...one,
      label: empty.includes(one.name) ? { ...label, data: new Uint8Array(label.data.length) } : label,
    }));
    return (await problemsOf(emptied)).filter((message) => message.includes('no search takes'));
  };
  const [first, second, third] = [0, 1, 2].map((fold) => splitCases(names, { folds: 3, fold }).test);
  expect(await refusals([first[0], second[0]])).toEqual([]);
  expect(await refusals([...first, third[0]])).toEqual([
    'warning: .: nothing is labelled in any case of a part of --fold 0 (test), --fold 1 (training), so that no search takes them. Take another fold, or add cases in which something is.',
  ]);
  expect(await refusals([...first, ...second])).toEqual([
    'warning: .: nothing is labelled in any case of a part of --fold 0 (test), --fold 1 (test), --fold 2 (training and validation), so that no search takes them. Add cases in which something is.',
  ]);
});

test('unreadable files are all named at once', async () => {
  await writeDataSet(folder, good);
  const image = join(folder, 'imagesTr', 'a.nii.gz');
  await writeFile(image, (await readFile(image)).subarray(0, 300));
  await writeFile(join(folder, 'labelsTr', 'c.nii.gz'), 'nothing');
  const { problems, fingerprint } = await checkDataSet(await readDataSet(folder), { folds: 2 });
  expect(problems.map(({ file }) => file.slice(folder.length))).toEqual(['/imagesTr/a.nii.gz', '/labelsTr/c.nii.gz']);
  expect(problems[0].message).toContain('truncated');
  expect(fingerprint?.cases).toBe(2);
});

test('listed files that are not there are all named, beside what is wrong with others', async () => {
  await writeDataSet(folder, good);
  for (const file of ['imagesTr/a.nii.gz', 'labelsTr/a.nii.gz', 'labelsTr/b.nii.gz']) await rm(join(folder, file));
  await writeFile(join(folder, 'imagesTr', 'c.nii.gz'), 'nothing');
  const { problems } = await checkDataSet(await readDataSet(folder), { folds: 2 });
  expect(problems.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([
    ...[
      'imagesTr/a.nii.gz: listed as an image',
      'labelsTr/a.nii.gz: listed as a label',
      'labelsTr/b.nii.gz: listed',
    ].map((text) =>
      expect.stringMatching(`${folder}/${text}.* in dataset.json, but not there. Add it or remove its entry.`),
    ),
    expect.stringMatching(/imagesTr.c\.nii\.gz: /),
  ]);
});

test.skipIf(realDataSets.length === 0)(
  'real data sets have no errors (needs RONASMIS_TEST_DATA)',
  async () => {
    for (const real of realDataSets) {
      const { problems, fingerprint } = await checkDataSet(await readDataSet(real), { folds: 5 });
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
      // Such data sets are in use everywhere: a warning in every other case would not be read.
      expect(problems.length).toBeLessThan(3);
      expect(fingerprint?.cases).toBeGreaterThan(5);
    }
  },
  120_000,
);
