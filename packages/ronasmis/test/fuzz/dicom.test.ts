import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSlice } from '../../src/formats/dicom-slice-file.ts';
import { scanFixtures, writeScanFixture } from '../formats/scan-fixtures.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { fuzz, mutated, timeout, userErrorNaming } from './harness.ts';

const folder = await temporaryFolder();
const names = scanFixtures.map(({ name }) => name).filter((name) => name.startsWith('DICOM'));
const seeds = await Promise.all(names.map(async (name) => readFile(join(await writeScanFixture(folder, name), '0'))));
/** Of the first elements, behind the mark that a DICOM file begins with. */
const lengths = [138, 140, 152, 154].map((at) => ({ at, width: 2 as const }));
/** What is no DICOM file by its first bytes is refused for its name. */
const file = join(folder, 'slice.dcm');

test(
  'a damaged DICOM slice is refused in a sentence that names it, or is a slice',
  async () => {
    const read = async (bytes: Uint8Array) => {
      await writeFile(file, bytes);
      const slice = await readSlice(file);
      if (slice === undefined) return;
      expect([...slice.position, ...slice.rowDirection, ...slice.columnDirection].every(Number.isFinite)).toBe(true);
      expect(Math.min(...slice.spacing)).toBeGreaterThan(0);
    };
    await fuzz(mutated(seeds, lengths), read, userErrorNaming(file));
  },
  timeout,
);
