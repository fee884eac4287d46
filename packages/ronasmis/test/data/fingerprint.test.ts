import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { boxCase, straight, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const folder = join(await temporaryFolder(), 'boxes');

async function fingerprintOf(cases: readonly TestCase[]) {
  await rm(folder, { recursive: true, force: true });
  await writeDataSet(folder, cases);
  const { fingerprint } = await checkDataSet(await readDataSet(folder), { folds: 2 });
  if (!fingerprint) throw new Error('no case was readable');
  return fingerprint;
}

const cases = (seed: number): readonly TestCase[] => {
  const random = createRandom(seed);
  return ['a', 'b'].map((name) => boxCase(name, random));
};

test('says what the data are like', async () => {
  const [x, y, z] = [3, 2, 2];
  const ramp = (name: string, first: number): TestCase => ({
    name,
    image: { shape: [x, y, z], data: Int16Array.from({ length: 12 }, (_, i) => first + i), affine: straight(-1, 2, 3) },
    label: { shape: [x, y, z], data: Uint8Array.from({ length: 12 }, (_, i) => i % 3), affine: straight(-1, 2, 3) },
  });
  const found = await fingerprintOf([ramp('a', 1), ramp('b', 21)]);
  expect(found).toMatchObject({
    name: 'Boxes',
    cases: 2,
    shape: { min: [2, 2, 3], median: [2, 2, 3], max: [2, 2, 3] },
    spacing: { median: [3, 2, 1] },
    orientations: { LAS: 2 },
    orientation: 'LAS',
    classFractions: [8 / 24, 8 / 24, 8 / 24],
  });
  // numpy 2.4: v of both cases where label > 0; mean, std, min, percentiles 0.5, 50, 99.5, max
  const { mean, deviation, min, percentile005, median, percentile995, max } = found.intensities[0];
  expect([mean, min, median, max]).toEqual([17, 2, 17, 32]);
  expect(deviation).toBeCloseTo(10.559356, 5);
  expect([percentile005, percentile995]).toEqual([expect.closeTo(2.075, 5), expect.closeTo(31.925, 5)]);
});

test('its hash is the same for the same files and another for others', async () => {
  const first = await fingerprintOf(cases(1));
  expect(await fingerprintOf(cases(1))).toEqual(first);
  expect((await fingerprintOf(cases(2))).sha256).not.toBe(first.sha256);
});
