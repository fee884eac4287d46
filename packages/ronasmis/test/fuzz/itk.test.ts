import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { voxelsOf } from '../../src/base/geometry.ts';
import { readGrid, readVolume } from '../../src/formats/read-volume.ts';
import { scanFixtures, writeScanFixture } from '../formats/scan-fixtures.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { fuzz, mutated, timeout, userErrorNaming } from './harness.ts';

const folder = await temporaryFolder();
/** What their headers, which are text, may say in place of a number. */
const numbers = [
  '',
  '0',
  '-1',
  '0.5',
  '65536',
  '4294967296',
  '99999999999999999999',
  '1e30',
  '1e999',
  'nan',
  'inf',
  '%s',
];
/** ITK takes a hundredth of a second for an input. */
const quickRuns = 200;

/** Files with up to three numbers of their headers replaced. */
function renumbered(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ nth: fc.nat(), number: fc.constantFrom(...numbers) });
  return fc.tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 3 })).map(([seed, changes]) =>
    Buffer.from(
      changes.reduce((text, { nth, number }) => {
        const found = [...text.slice(0, 400).matchAll(/\d[\d.]*/g)];
        const { index, 0: digits } = found[nth % found.length];
        return text.slice(0, index) + number + text.slice(index + digits.length);
      }, Buffer.from(seed).toString('latin1')),
      'latin1',
    ),
  );
}

test.each(['nrrd', 'mha'])(
  'a damaged file .%s is refused in a sentence that names it, or is a volume as its header says',
  async (ending) => {
    const names = scanFixtures.filter(({ path }) => path.endsWith(`.${ending}`)).map(({ name }) => name);
    const seeds = await Promise.all(names.map(async (name) => readFile(await writeScanFixture(folder, name))));
    const file = join(folder, `scan.${ending}`);
    const read = async (bytes: Uint8Array) => {
      await writeFile(file, bytes);
      const volume = await readVolume(file);
      const { shape, channels, affine } = await readGrid(file);
      expect(volume).toMatchObject({ shape, channels, affine });
      expect(volume.data.length).toBe(channels * voxelsOf(shape));
      expect(affine.flat().every(Number.isFinite)).toBe(true);
      expect(Math.min(...volume.spacing)).toBeGreaterThan(0);
    };
    await fuzz(fc.oneof(mutated(seeds), renumbered(seeds)), read, userErrorNaming(file), quickRuns);
  },
  timeout,
);
