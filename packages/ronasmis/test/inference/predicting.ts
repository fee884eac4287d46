import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tensor } from '@ronasmis/libtorch';
import { expect } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { createRandom } from '../../src/base/random.ts';
import { writeNifti } from '../../src/formats/nifti.ts';
import type { PredictOptions } from '../../src/inference/options.ts';
import { predict } from '../../src/inference/predict.ts';
import type { RunRecord } from '../../src/run/run-record.ts';
import { straight, temporaryFolder } from '../formats/scans.ts';
import { storedWeights, writeTinyRun } from './tiny-run.ts';

/** The folder of a file's tests. */
export const root = await temporaryFolder();

/** A run folder with these weights. */
export async function writeRun(
  stored: ReadonlyMap<string, Tensor>,
  settings: Partial<RunRecord> = {},
): Promise<string> {
  return writeTinyRun(await mkdtemp(join(root, 'run-')), stored, settings);
}

/** A scan of noise in x 2..12, y 1..15, z 0..9 of 14 x 17 x 11 voxels, and of zeros around it. */
export async function writeScan(file: string, channels = 1): Promise<string> {
  const random = createRandom(5);
  const data = Float32Array.from({ length: 14 * 17 * 11 * channels }, (_, i) => {
    const [x, y, z] = [i % 14, Math.floor(i / 14) % 17, Math.floor(i / (14 * 17)) % 11];
    const inside = x >= 2 && x <= 12 && y >= 1 && y <= 15 && z <= 9;
    return inside ? 1 + 100 * random.uniform() : 0;
  });
  const affine = straight(0.8, 0.9, 2.5, -31);
  await writeNifti(file, { shape: [11, 17, 14], channels, data, affine });
  return file;
}

/** A run, and a scan that it can segment. */
export const run = await writeRun(storedWeights);
export const scan = await writeScan(join(root, 'scan.nii.gz'));

/** Segments `scan`, or what is given, into a folder of this name. */
export const predictInto = (out: string, options: Partial<PredictOptions> = {}) =>
  predict({ run, inputs: [scan], out: join(root, out), device: 'cpu', precision: 'fp32', ...options });

/** The sentence of a UserError. */
export const refusal = async (work: Promise<unknown>) => {
  const error = await work.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  return String(error);
};
