import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { boxCase, straight, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const folder = join(await temporaryFolder(), 'boxes');
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
const random = createRandom(1);
const sound = names.map((name) => boxCase(name, random, [16, 14, 12]));

beforeEach(() => rm(folder, { recursive: true, force: true }));

async function warningsOf(cases: readonly TestCase[], folds = 2, overrides = {}): Promise<readonly string[]> {
  await writeDataSet(folder, cases, overrides);
  const { problems } = await checkDataSet(await readDataSet(folder), { folds });
  expect(problems.map(({ severity }) => severity)).not.toContain('error');
  return problems.map(({ message }) => message.replaceAll(folder, '.'));
}

/** The sound cases, of which the last is another one. */
const withLast = (change: (last: TestCase) => Partial<TestCase>): readonly TestCase[] =>
  sound.map((one) => (one.name === 'j' ? { ...one, ...change(one) } : one));

const scaled =
  (factor: number, offset = 0) =>
  ({ image }: TestCase): Partial<TestCase> => ({
    image: { ...image, data: Float32Array.from(image.data, (value) => value * factor + offset) },
  });

/** The same case with only one in so many voxels left of a class, the others of class `to`. */
const relabelled =
  (from: number, to: number, keepEvery: number) =>
  ({ label }: TestCase) => {
    let seen = 0;
    const data = label.data.map((value) => (value === from && seen++ % keepEvery > 0 ? to : value));
    return { label: { ...label, data } };
  };

describe('a case that differs from the others', () => {
  it('is none among sound ones', async () => {
    expect(await warningsOf(sound)).toEqual([]);
  });

  it('in its spacing, unless spacings vary as much anyway', async () => {
    const spaced = (millimetres: number) => (one: TestCase) => ({
      image: { ...one.image, affine: straight(1, 1, millimetres) },
      label: { ...one.label, affine: straight(1, 1, millimetres) },
    });
    expect(await warningsOf(withLast(spaced(1.4)))).toEqual([]);
    expect(await warningsOf(withLast(spaced(3)))).toEqual([
      './imagesTr/j.nii.gz: its spacing of 1 x 1 x 3 mm is far from the median, 1 x 1 x 1 mm. It is resampled to agree with them; check that its header is right.',
    ]);
    const varied = sound.map((one, i) => ({ ...one, ...spaced(1.3 ** i)(one) }));
    expect(await warningsOf(varied)).toEqual([]);
  });

  it('in its size', async () => {
    expect(await warningsOf(withLast(() => boxCase('j', random, [16, 14, 40])))).toEqual([
      './imagesTr/j.nii.gz: its size of 16 x 14 x 40 voxels is far from the median, 16 x 14 x 12. Check that it is whole; crop it if it shows more than the others.',
    ]);
    expect(await warningsOf(withLast(() => boxCase('j', random, [16, 14, 30])))).toEqual([]);
  });

  it('in the scale of its intensities', async () => {
    const [warning, ...others] = await warningsOf(withLast(scaled(100)));
    expect(warning).toMatch(
      /^\.\/imagesTr\/j\.nii\.gz: channel 0 \(MRI\), where it is labelled, goes from \d+ to \d+, but from /,
    );
    expect(others).toEqual([]);
    expect(await warningsOf(withLast(scaled(5, 4000)))).toEqual([]);
  });

  it('in the units of a CT', async () => {
    const ct = { modality: { 0: 'CT' } };
    const [warning, ...others] = await warningsOf(withLast(scaled(1, 1024)), 2, ct);
    expect(warning).toMatch(
      /^\.\/imagesTr\/j\.nii\.gz: channel 0 \(CT\), where it is labelled, goes from 10\d+ to 15\d+, but/,
    );
    expect(others).toEqual([]);
    expect(await warningsOf(withLast(scaled(1, 300)), 2, ct)).toEqual([]);
  });

  it('in the volume of a class', async () => {
    expect(await warningsOf(withLast(relabelled(1, 0, 20)))).toEqual([
      './labelsTr/j.nii.gz: label 1 (box) takes 0.008 ml, in the median case 0.144 ml. Check that it is whole, and that nothing else has this label.',
    ]);
    expect(await warningsOf(withLast(relabelled(1, 0, 5)))).toEqual([]);
    const varied = sound.map((one, i) => ({ ...one, ...relabelled(1, 0, 1 + 2 * i)(one) }));
    expect(await warningsOf(varied)).toEqual([]);
  });
});

describe('several cases with the same', () => {
  const spaced = (one: TestCase, millimetres: number): TestCase => ({
    ...one,
    image: { ...one.image, affine: straight(1, 1, millimetres) },
    label: { ...one.label, affine: straight(1, 1, millimetres) },
  });
  const spacings: Readonly<Record<string, number>> = { b: 3, d: 2, f: 5, h: 4 };

  it('are one warning, which names those farthest and lists all', async () => {
    await writeDataSet(
      folder,
      sound.map((one) => spaced(one, spacings[one.name] ?? 1)),
    );
    const { problems } = await checkDataSet(await readDataSet(folder), { folds: 2 });
    expect(problems).toEqual([
      {
        severity: 'warning',
        file: folder,
        message: `${folder}: 4 of 10 cases have a spacing far from the median, 1 x 1 x 1 mm: above all f (1 x 1 x 5 mm), h (1 x 1 x 4 mm), b (1 x 1 x 3 mm). They are resampled to agree with the others; check that their headers are right.`,
        cases: ['f', 'h', 'b', 'd'].map((name) => ({
          file: join(folder, 'imagesTr', `${name}.nii.gz`),
          what: `1 x 1 x ${spacings[name]} mm`,
        })),
      },
    ]);
  });

  it.each<[string, (one: TestCase) => TestCase, string]>([
    [
      'one value everywhere',
      (one) => ({ ...one, image: { ...one.image, data: new Uint8Array(one.image.data.length).fill(3) } }),
      '.: 2 of 10 cases have a channel with one value everywhere: b (channel 0 is 3 everywhere), d (channel 0 is 3 everywhere). Are these scans empty?',
    ],
    [
      'another orientation',
      (one) => ({
        ...one,
        image: { ...one.image, affine: straight(-1) },
        label: { ...one.label, affine: straight(-1) },
      }),
      '.: 2 of 10 cases have voxel axes that do not point to RAS, as those of most cases do: b (LAS), d (LAS). They are turned to agree with them; check that their headers are right.',
    ],
    [
      'labels outside of the image',
      (one) => ({
        ...one,
        image: { ...one.image, data: one.image.data.map((value, i) => (i % 16 < 4 ? 0 : value)) },
      }),
      ".: 2 of 10 cases have labelled voxels in the border where the image is 0, which is cut off, so that they can't be found: b (96 of 192), d (96 of 192). Check that their labels and images belong together.",
    ],
  ])('%s', async (_, change, warning) => {
    const cases = sound.map((one) => (one.name === 'b' || one.name === 'd' ? change(one) : one));
    expect(await warningsOf(cases)).toContain(warning);
    expect((await warningsOf(cases)).filter((one) => one.includes('imagesTr/b.nii.gz: '))).toEqual([]);
  });
});

describe('a class that few cases have', () => {
  const withoutCore = ({ label }: TestCase) => ({
    label: { ...label, data: label.data.map((value) => Math.min(value, 1)) },
  });
  const onlyIn = (having: readonly string[]) =>
    sound.map((one) => (having.includes(one.name) ? one : { ...one, ...withoutCore(one) }));

  it('is named with the folds that cannot be tested on it', async () => {
    // scikit-learn 1.9, KFold(5, shuffle=True, random_state=12345) has the test cases a h, d j, e g, b i, c f.
    expect(await warningsOf(onlyIn(['a', 'h', 'd', 'e', 'b']), 5)).toEqual([
      '.: label 2 (core) is in 5 of 10 cases: no test case of --fold 4 has it. Add cases that show it.',
    ]);
    expect(await warningsOf(onlyIn(['a', 'd', 'e', 'b', 'c']), 5)).toEqual([]);
    expect(await warningsOf(onlyIn([]), 5)).toEqual([
      '.: label 2 (core) is in 0 of 10 cases: no test case of --fold 0, 1, 2, 3, 4 has it. Add cases that show it.',
    ]);
  });
});

it('many labels that no case has are one warning', async () => {
  const tails = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [i + 3, `part ${i}`]));
  const labels = { 0: 'background', 1: 'box', 2: 'core', ...tails };
  await writeDataSet(folder, sound, { labels });
  const { problems } = await checkDataSet(await readDataSet(folder), { folds: 2 });
  expect(problems.map(({ message }) => message)).toEqual([
    `${folder}: 60 of 62 labels are in so few cases that some folds lack them: above all label 3 (part 0) is in 0 of 10 cases, label 4 (part 1) is in 0 of 10 cases, label 5 (part 2) is in 0 of 10 cases. Add cases that show them.`,
  ]);
  expect(problems[0].cases).toHaveLength(60);
});

it('volumes of several labels and cases are one warning', async () => {
  const few = sound.map((one) =>
    one.name === 'b' || one.name === 'd' ? { ...one, ...relabelled(1, 0, one.name === 'b' ? 30 : 20)(one) } : one,
  );
  expect(await warningsOf(few)).toEqual([
    '.: 2 of 10 cases have a label whose volume is far from that in the median case: b (label 1 (box) takes 0.005 ml, in the median case 0.144 ml), d (label 1 (box) takes 0.008 ml, in the median case 0.144 ml). Check that it is whole there, and that nothing else has this label.',
  ]);
});

it('cases that cannot be read say nothing about the classes that others have', async () => {
  await writeDataSet(folder, sound);
  for (const { name } of sound.slice(1)) await writeFile(join(folder, 'labelsTr', `${name}.nii.gz`), 'nothing');
  const { problems } = await checkDataSet(await readDataSet(folder), { folds: 2 });
  expect(problems.map(({ severity }) => severity)).toEqual(Array(9).fill('error'));
});

describe('several scans of one patient', () => {
  const named = (list: readonly string[]) => list.map((name) => boxCase(name, random));

  it('are named where they are in different folds', async () => {
    const list = ['01_ED', '01_ES', '02_ED', '02_ES', '03_ED', '03_ES', '04_ED', '04_ES', '05_ED', '05_ES'];
    const [warning, ...others] = await warningsOf(named(list), 5);
    expect(warning).toMatch(
      /^\.: by their names 01_ED and 01_ES are of one patient, and those of 4 more patients, but lie in different folds \(names that agree up to the last _ or -\)\. If they are, keep one/,
    );
    expect(others).toEqual([]);
  });
});
