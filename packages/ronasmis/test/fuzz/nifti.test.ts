import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { voxelsOf } from '../../src/base/geometry.ts';
import { readNifti, readNiftiHeader } from '../../src/formats/nifti.ts';
import { HEADER_LAYOUTS } from '../../src/formats/nifti-layout.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { type Field, fuzz, mutated, timeout, userErrorNaming } from './harness.ts';

const fixtures = z
  .array(z.object({ gzip: z.string() }))
  .parse(JSON.parse(readFileSync(new URL('../formats/nifti-fixtures.json', import.meta.url), 'utf8')));
const packed = fixtures.map(({ gzip }) => Buffer.from(gzip, 'base64'));
const seeds = [...packed, ...packed.map((bytes) => gunzipSync(bytes))];
/** The numbers of both headers, their length being the first, and how many there are of those that stand in rows. */
const counts: Readonly<Record<string, number>> = { dim: 8, pixdim: 8, quatern: 3, qoffset: 3, srow: 12 };
const widths = { uint8: 1, int16: 2, int32: 4, int64: 8, float32: 4, float64: 8 } as const;
const fields: readonly Field[] = [
  { at: 0, width: 4 },
  ...Object.values(HEADER_LAYOUTS).flatMap((layout) =>
    Object.entries(layout.fields).flatMap(([name, { at, kind }]) =>
      Array.from({ length: counts[name] ?? 1 }, (_, i) => ({ at: at + i * widths[kind], width: widths[kind] })),
    ),
  ),
];

const folder = await temporaryFolder();
const file = join(folder, 'scan.nii.gz');

test(
  'a damaged NIfTI file is refused in a sentence that names it, or is a volume as its header says',
  async () => {
    const inputs = fc.record({ bytes: mutated(seeds, fields), isPackedAfterwards: fc.boolean() });
    const read = async ({ bytes, isPackedAfterwards }: { bytes: Uint8Array; isPackedAfterwards: boolean }) => {
      await writeFile(file, isPackedAfterwards ? gzipSync(bytes) : bytes);
      const [volume, header] = [await readNifti(file), await readNiftiHeader(file)];
      expect(volume).toMatchObject(header);
      expect(volume.data.length).toBe(volume.channels * voxelsOf(volume.shape));
      expect(volume.affine.flat().every(Number.isFinite)).toBe(true);
      expect(Math.min(...volume.spacing)).toBeGreaterThan(0);
    };
    await fuzz(inputs, read, userErrorNaming(file));
  },
  timeout,
);
