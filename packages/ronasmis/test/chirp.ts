import { copyInPlace, keep, noGradient, scope, type Tensor, tensor, to } from '@ronasmis/libtorch';
import { expect } from 'vitest';

/** The inputs of all reference values: sin(0.7 i^2 + phase) in float64, as the scripts in reference/ make them. */
export function chirpValues(length: number, phase: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.sin(0.7 * i * i + phase));
}

/** The same as a float32 tensor that belongs to no scope, each value changed by `change`. */
export function chirp(shape: readonly number[], phase: number, change = (value: number): number => value): Tensor {
  return keep(() => to(tensor(chirpValues(product(shape), phase).map(change), shape), { dataType: 'float32' }));
}

/** Overwrites a weight by a chirp of its shape. */
export function fillWithChirp(weight: Tensor, phase: number, change: (value: number) => number): void {
  noGradient(() => scope(() => copyInPlace(weight, chirp(weight.shape, phase, change))));
}

export function product(shape: readonly number[]): number {
  return shape.reduce((result, size) => result * size, 1);
}

/** What the scripts write of a tensor: 12 of its values and the mean of chirp-weighted values. */
export interface Digest {
  readonly shape?: readonly number[];
  readonly values: readonly number[];
  readonly mean: number;
}

/** Each value within `tolerance`, relative to the largest of them. */
export function expectDigest(found: Tensor, expected: Digest, tolerance: number): void {
  if (expected.shape) expect(found.shape).toEqual(expected.shape);
  const values = found.toNumbers();
  const weights = chirpValues(values.length, 9);
  const allowed = tolerance * Math.max(...expected.values.map(Math.abs));
  expected.values.forEach((value, i) => {
    const at = Math.floor((i * (values.length - 1)) / (expected.values.length - 1));
    expect(Math.abs(values[at] - value)).toBeLessThanOrEqual(allowed);
  });
  const mean = values.reduce((sum, value, i) => sum + value * weights[i], 0) / values.length;
  expect(Math.abs(mean - expected.mean)).toBeLessThanOrEqual(allowed);
}
