import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { niftiMaker, readNifti, readNiftiHeader, writeNifti } from '../../src/formats/nifti.ts';
import { isMark, scanKey } from '../../src/formats/nifti-mark.ts';
import { straight, temporaryFolder } from './scans.ts';

const file = join(await temporaryFolder(), 'map.nii');
const maker = { run: '0123456789abcdef', scan: 'fedcba9876543210' };
const volume = { shape: [2, 3, 4], data: Uint8Array.from({ length: 24 }, (_, i) => i), affine: straight() } as const;

test('a file is known again by its maker until a byte of it is changed', async () => {
  await writeNifti(file, { ...volume, maker });
  expect(isMark((await readNiftiHeader(file)).description)).toBe(true);
  expect(await niftiMaker(file)).toEqual(maker);
  const bytes = await readFile(file);
  for (const at of [70, 148, 300, bytes.length - 1]) {
    const changed = Uint8Array.from(bytes);
    changed[at] ^= 1;
    await writeFile(file, changed);
    expect(await niftiMaker(file), `byte ${at}`).toBe(undefined);
  }
});

test('what nobody marked, and what is no NIfTI file, has no maker', async () => {
  await writeNifti(file, volume);
  expect(await niftiMaker(file)).toBe(undefined);
  await writeFile(file, 'no file of ours');
  expect(await niftiMaker(file)).toBe(undefined);
});

test('the key of a scan tells its voxels and its place apart, wherever its file lies', async () => {
  await writeNifti(file, volume);
  const scan = await readNifti(file);
  // Files that were written before carry such keys: a shape is hashed as x, y, z and channels.
  expect(scanKey(scan)).toBe('112089fef90a80f1');
  expect(scanKey({ ...scan, file: 'elsewhere.nii' })).toBe(scanKey(scan));
  const others = [
    { ...scan, affine: straight(1, 1, 1, 1) },
    { ...scan, shape: [4, 3, 2] as const },
    { ...scan, data: scan.data.slice().fill(0, 5, 6) },
  ];
  expect(new Set([scan, ...others].map(scanKey)).size).toBe(4);
});
