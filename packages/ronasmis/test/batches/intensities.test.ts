import { describe, expect, test } from 'vitest';
import { changeIntensities, type IntensityChange } from '../../src/batches/intensities.ts';
import type { Block } from '../../src/batches/resample.ts';
import { chirpValues } from '../chirp.ts';
import { expectDigest, nnunetReference, reference } from './reference.ts';

/** What changes make of a patch. */
function changed({ shape, values }: Block<Float32Array>, ...changes: readonly IntensityChange[]): Float32Array {
  const copy = { shape, values: values.slice() };
  changeIntensities(copy, changes);
  return copy.values;
}

describe('intensities are changed as batchgenerators does', () => {
  const patch: Block<Float32Array> = { shape: [2, 10, 10], values: Float32Array.from(chirpValues(200, 2)) };
  test.each([0.7, 1.4])('contrast %f', (factor) => {
    expectDigest(changed(patch, { kind: 'contrast', factor }), reference.contrast[String(factor)], 5);
  });

  test('gamma', () => {
    expectDigest(changed(patch, { kind: 'gamma', exponent: 1.4 }), reference.gamma, 5);
  });

  test('brightness', () => {
    const found = changed(patch, { kind: 'brightness', factor: 0.8 });
    expect([...found]).toEqual([...patch.values.map((value) => value * 0.8)]);
  });
});

describe("intensities are changed as nnU-Net's batchgeneratorsv2 does", () => {
  const patch: Block<Float32Array> = { shape: [6, 9, 8], values: Float32Array.from(chirpValues(432, 2)) };
  test.each(nnunetReference.intensities)('$change', ({ change, ...expected }) => {
    expectDigest(changed(patch, change), expected, 5);
  });

  test('one after the other', () => {
    const [blur, , , lowered] = nnunetReference.intensities.map(({ change }) => change);
    const blurred = { ...patch, values: changed(patch, blur) };
    expect(changed(patch, blur, lowered)).toEqual(changed(blurred, lowered));
  });
});

test('noise is of the deviation, and the same for the same seed', () => {
  const noise = (seed: number) =>
    changed({ shape: [1, 1, 20_000], values: new Float32Array(20_000) }, { kind: 'noise', deviation: 0.3, seed });
  const values = noise(7);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.01);
  expect(Math.sqrt(variance)).toBeCloseTo(0.3, 2);
  expect(noise(7)).toEqual(values);
  expect(noise(8)).not.toEqual(values);
});

test('padding alone stays what it is', () => {
  const found = changed(
    { shape: [1, 2, 5], values: new Float32Array(10) },
    { kind: 'blur', deviations: [1, 1, 1] },
    { kind: 'brightness', factor: 1.2 },
    { kind: 'contrast', factor: 1.3 },
    { kind: 'low_resolution', scale: [0.5, 0.5, 0.5] },
    { kind: 'inverted_gamma', exponent: 1.2 },
    { kind: 'gamma', exponent: 0.7 },
  );
  for (const value of found) expect(value).toBeCloseTo(0, 12);
});
