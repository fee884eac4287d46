import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { blur, lowerResolution } from '../../src/batches/filters.ts';
import { chirpValues, product } from '../chirp.ts';

const size = fc.integer({ min: 1, max: 9 });
const shapes = fc.tuple(size, size, size);
const scale = fc.double({ min: 0.5, max: 1, noNaN: true });
const scales = fc.tuple(scale, scale, scale);

const noisy = (shape: Triple) => ({ shape, values: Float32Array.from(chirpValues(product(shape), 4)) });
const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test.each([
  ['a blur', blur],
  ['a lower resolution', lowerResolution],
] as const)(
  '%s leaves a constant as it is, and never goes beyond the values that are there, whatever the shape',
  (_, change) => {
    fc.assert(
      fc.property(shapes, scales, (shape, by) => {
        const constant = { shape, values: new Float32Array(product(shape)).fill(0.75) };
        change(constant, by);
        expect(Math.max(...constant.values.map((value) => Math.abs(value - 0.75)))).toBeLessThan(1e-6);
        const patch = noisy(shape);
        const [low, high] = [Math.min(...patch.values), Math.max(...patch.values)];
        change(patch, by);
        expect(Math.min(...patch.values)).toBeGreaterThanOrEqual(low - 1e-6);
        expect(Math.max(...patch.values)).toBeLessThanOrEqual(high + 1e-6);
      }),
    );
  },
);

test('a point is blurred to the product of three Gaussians, cut off after three standard deviations', () => {
  const shape: Triple = [9, 9, 9];
  const patch = { shape, values: new Float32Array(729) };
  patch.values[4 * 81 + 4 * 9 + 4] = 1;
  blur(patch, [0.5, 0.75, 1]);
  expect(mean(patch.values) * 729).toBeCloseTo(1, 5);
  const along = (step: number) => Array.from({ length: 9 }, (_, i) => patch.values[364 + (i - 4) * step]);
  const [depth, height, width] = [along(81), along(9), along(1)];
  // 3, 5 and 7 weights.
  expect([depth, height, width].map((line) => line.filter((value) => value > 0).length)).toEqual([3, 5, 7]);
  expect(depth[5] / depth[4]).toBeCloseTo(Math.exp(-2), 5);
  expect(height[6] / height[4]).toBeCloseTo(Math.exp(-0.5 * (2 / 0.75) ** 2), 5);
  expect(width[7] / width[4]).toBeCloseTo(Math.exp(-4.5), 5);
});

test('a patch at all of its resolution is what it was', () => {
  const patch = noisy([4, 5, 6]);
  lowerResolution(patch, [1, 1, 1]);
  expect(patch.values).toEqual(noisy([4, 5, 6]).values);
});
