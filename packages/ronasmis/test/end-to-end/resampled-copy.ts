import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { resampleCubic, resampleLabels, scope, tensor } from '@ronasmis/libtorch';
import { expect } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { dicePerClass } from '../../src/evaluation/dice.ts';
import type { Affine } from '../../src/formats/affine.ts';
import { readNifti, writeNifti } from '../../src/formats/nifti.ts';
import { ronasmis } from './command.ts';

/** How finely the copies are sampled along x. */
const finer = 1.5;

/** Writes a scan, or a label map, to `file`, with about 1.5 times the voxels along x between the same edges. */
export async function writeResampledCopy(source: string, file: string, kind: 'scan' | 'label'): Promise<void> {
  const volume = await readNifti(source);
  const { shape, channels } = volume;
  const [depth, height, width] = shape;
  const size: Triple = [depth, height, Math.round(finer * width)];
  const voxels = volume.data.length / channels;
  const resampled = Array.from({ length: channels }, (_, channel) => {
    const values = volume.data.subarray(channel * voxels, (channel + 1) * voxels);
    return scope(() =>
      kind === 'scan'
        ? resampleCubic(tensor(Float32Array.from(values), shape), size).toNumbers()
        : resampleLabels(tensor(Uint8Array.from(values), shape), size).toNumbers(),
    );
  }).flat();
  const step = width / size[2];
  const affine: Affine = volume.affine.map(([x, y, z, t]) => [x * step, y, z, t + x * (step / 2 - 0.5)]);
  const data = kind === 'scan' ? Float32Array.from(resampled) : Uint8Array.from(resampled);
  await writeNifti(file, { shape: size, channels, data, affine });
}

/**
 * Segments a scan and a resampled copy of it with a run.
 * @returns Dice of each class between the two segmentations, on the grid of the scan
 */
export async function agreementWithCopy(run: string, scan: string, folder: string): Promise<readonly number[]> {
  const copies = join(folder, 'copies');
  await mkdir(copies, { recursive: true });
  const copy = join(copies, basename(scan));
  await writeResampledCopy(scan, copy, 'scan');
  const [ofScan, ofCopy] = [join(folder, 'of the scan'), join(folder, 'of the copy')];
  for (const [input, out] of [
    [scan, ofScan],
    [copy, ofCopy],
  ] as const) {
    const predicted = await ronasmis('predict', run, input, '--out', out);
    expect(predicted.code, predicted.stderr).toBe(0);
  }
  const [of, on] = [await readNifti(join(ofScan, basename(scan))), await readNifti(join(ofCopy, basename(scan)))];
  expect(on.affine).toEqual((await readNifti(copy)).affine);
  const back = scope(() => resampleLabels(tensor(Uint8Array.from(on.data), on.shape), of.shape).toNumbers());
  const classes = [...new Set(of.data)].filter((value) => value > 0);
  expect(classes.length).toBeGreaterThan(0);
  const dice = dicePerClass(back, of.data, classes);
  return classes.map((value) => dice[value] ?? 0);
}
