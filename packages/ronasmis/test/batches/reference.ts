import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import type { IntensityChange } from '../../src/batches/intensities.ts';
import type { Matrix } from '../../src/batches/resample.ts';
import { chirpValues, type Digest } from '../chirp.ts';

export interface Turned {
  readonly angles: Triple;
  readonly scales: Triple;
  readonly spacing: Triple;
  readonly offset: Triple;
  readonly patch: Triple;
  readonly flip: boolean;
  readonly matrix: Matrix;
  readonly image: Digest;
  readonly label: Digest;
}

/** Values of SciPy and batchgenerators, written by reference/augmentation.py, which says what they are. */
export const reference: {
  readonly turned: readonly Turned[];
  readonly contrast: Record<string, Digest>;
  readonly gamma: Digest;
} = JSON.parse(readFileSync(new URL('../reference/augmentation.json', import.meta.url), 'utf8'));

/** Values of nnU-Net's own transforms and data loader, written by reference/nnunet-augmentation.py, which says what they are. */
export const nnunetReference: {
  readonly intensities: readonly (Digest & { readonly change: IntensityChange })[];
  readonly turned: readonly Pick<Turned, 'matrix' | 'patch' | 'image' | 'label'>[];
  readonly placed: readonly {
    readonly shape: Triple;
    readonly patch: Triple;
    readonly voxel: Triple;
    readonly around: Triple;
    readonly first: Triple;
    readonly last: Triple;
  }[];
  readonly last_around_foreground: Record<string, number>;
} = JSON.parse(readFileSync(new URL('../reference/nnunet-augmentation.json', import.meta.url), 'utf8'));

/** That values are those of a digest, by some of them and a mean of all. */
export function expectDigest(values: ArrayLike<number>, expected: Digest, tolerance: number): void {
  const weights = chirpValues(values.length, 9);
  expected.values.forEach((value, i) => {
    expect(values[Math.floor((i * (values.length - 1)) / 11)]).toBeCloseTo(value, tolerance);
  });
  const mean = Array.from(values).reduce((sum, value, i) => sum + value * weights[i], 0) / values.length;
  expect(mean).toBeCloseTo(expected.mean, tolerance);
}
