import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import { temporaryFolder } from '../formats/scans.ts';

const folder = await temporaryFolder();

async function written(name: string, seed: number) {
  await writePhantomDataSet(join(folder, name), { cases: 6, seed });
  return checkDataSet(await readDataSet(join(folder, name)), { folds: 5 });
}

test('is a sound, anisotropic data set of two channels and three parts, the same for the same seed', async () => {
  const { problems, fingerprint } = await written('first', 1);
  expect(problems).toEqual([]);
  expect(fingerprint).toMatchObject({ cases: 6, spacing: { min: [2.5, 1, 1], max: [2.5, 1, 1] } });
  expect(fingerprint?.channels).toHaveLength(2);
  const [background, ...parts] = fingerprint?.classFractions ?? [];
  expect(background).toBeGreaterThan(0.7);
  expect(parts).toHaveLength(3);
  for (const part of parts) expect(part).toBeGreaterThan(0.01);
  expect((await written('again', 1)).fingerprint?.sha256).toBe(fingerprint?.sha256);
  expect((await written('other', 2)).fingerprint?.sha256).not.toBe(fingerprint?.sha256);
});
