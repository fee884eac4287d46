import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { splitCases } from '../../src/data/folds.ts';
import { readRun } from '../../src/run/read-run.ts';
import { resume } from '../../src/search/resume.ts';
import { search } from '../../src/search/search.ts';
import { boxCase, straight, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const root = await temporaryFolder();
const names = Array.from({ length: 8 }, (_, i) => `case${i}`);
const folds = { folds: 4, fold: 0 } as const;
const plain = splitCases(names, folds);

const labelled = (name: string): TestCase => boxCase(name, createRandom(names.indexOf(name)), [16, 16, 16]);
const healthy = (name: string): TestCase => {
  const one = labelled(name);
  return { ...one, label: { ...one.label, data: new Uint8Array(16 ** 3) } };
};
/** A single labelled voxel of half the others' size. */
const speck = (name: string): TestCase => {
  const { image } = boxCase(name, createRandom(9), [32, 32, 32]);
  const data = new Uint8Array(32 ** 3);
  data[(15 * 32 + 15) * 32 + 15] = 1;
  const affine = straight(0.5, 0.5, 0.5);
  return { name, image: { ...image, affine }, label: { shape: [32, 32, 32], data, affine } };
};

async function searchOn(folder: string, of: (name: string) => TestCase, modality = 'MRI') {
  const dataSet = await writeDataSet(join(root, folder), names.map(of), { modality: { 0: modality } });
  const warnings: string[] = [];
  const out = join(root, `${folder}-run`);
  const { report } = await search(
    { dataSet, out, epochs: 1, children: 1, ...folds, device: 'cpu', precision: 'fp32' },
    { onStart: (start) => warnings.push(...start.warnings) },
  );
  return { report, warnings, out, events: (await readRun(out)).events };
}

test.each(['MRI', 'CT'])('healthy controls are learnt from, and evaluated with (%s)', async (modality) => {
  const empty = [plain.training[0], plain.training[1], plain.test[0]];
  const { report, warnings, out } = await searchOn(
    `healthy ${modality}`,
    (name) => (empty.includes(name) ? healthy(name) : labelled(name)),
    modality,
  );
  expect(warnings).toEqual([expect.stringContaining(`nothing is labelled in ${empty.toSorted().join(', ')}: each is`)]);
  expect(Object.keys(report.test_dice.cases)).toEqual(plain.test);
  expect(report.test_dice.mean).not.toBeNull();
  expect(await resume(out)).toMatchObject({ report });
});

test('validation cases of which nothing is left at the common spacing give no reward, and that is said before', async () => {
  const { report, warnings, events } = await searchOn('speck', (name) =>
    plain.validation.includes(name) ? speck(name) : labelled(name),
  );
  const named = plain.validation.map((name) => `${name} (box)`).join(', ');
  expect(warnings).toContainEqual(
    expect.stringMatching(/spacing of 1 x 1 x 1 mm nothing is left of what is labelled in/),
  );
  expect(warnings.join()).toContain(named);
  expect(events.map(({ reward_max }) => reward_max)).toEqual([0]);
  expect(report.validation_dice.mean ?? 0).toBe(0);
});

test('of test cases, what is lost at the common spacing still counts on their own grids', async () => {
  const { report } = await searchOn('specks', (name) => (plain.test.includes(name) ? speck(name) : labelled(name)));
  expect(report.test_dice.mean).toBeLessThan(0.01);
  for (const name of plain.test) expect(report.test_dice.cases[name]['1']).not.toBeNull();
});
