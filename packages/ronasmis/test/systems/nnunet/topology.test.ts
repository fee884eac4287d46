import fc from 'fast-check';
import { expect, test } from 'vitest';
import { divisorsOf, topologyFor } from '../../../src/systems/nnunet/topology.ts';

const [one, two] = [
  [1, 1, 1],
  [2, 2, 2],
];
const cube = [3, 3, 3];

test('poolings, kernels and patches are those of nnU-Net', () => {
  // nnunetv2 2.8.1: get_pool_and_conv_props(spacing, patch, 4, 999999)
  expect(topologyFor([1, 1, 1], [36.5, 50, 35])).toEqual({
    patch: [40, 56, 40],
    strides: [one, two, two, two],
    kernels: [cube, cube, cube, cube],
  });
  expect(topologyFor([5, 0.8, 0.8], [20, 320, 256])).toEqual({
    patch: [20, 320, 256],
    strides: [one, [1, 2, 2], [1, 2, 2], two, two, [1, 2, 2], [1, 2, 2]],
    kernels: [[1, 3, 3], [1, 3, 3], cube, cube, cube, cube, cube],
  });
  expect(topologyFor([2, 1, 1.99], [64, 64, 8])).toEqual({
    patch: [64, 64, 8],
    strides: [one, [1, 2, 2], [2, 2, 1], [2, 2, 1], [2, 2, 1]],
    kernels: [[1, 3, 3], cube, cube, cube, cube],
  });
  expect(topologyFor([1.5, 1.5, 1], [13, 9, 11])).toEqual({
    patch: [14, 10, 12],
    strides: [one, two],
    kernels: [cube, cube],
  });
  expect(topologyFor([1, 1, 1], [7, 7, 7])).toEqual({ patch: [7, 7, 7], strides: [one], kernels: [cube] });
  expect(topologyFor([0.8, 0.8], [512, 471.5])).toMatchObject({
    patch: [512, 512],
    strides: [[1, 1], ...Array.from({ length: 7 }, () => [2, 2])],
  });
});

const axis = fc.record({
  spacing: fc.double({ min: 0.2, max: 9, noNaN: true }),
  size: fc.integer({ min: 1, max: 400 }),
});

test('a patch grows by less than a pooling, and is divided by all of them down to four voxels or more', () => {
  fc.assert(
    fc.property(fc.array(axis, { minLength: 2, maxLength: 3 }), (axes) => {
      const sizes = axes.map(({ size }) => size);
      const topology = topologyFor(
        axes.map(({ spacing }) => spacing),
        sizes,
      );
      expect(topology.kernels).toHaveLength(topology.strides.length);
      divisorsOf(topology).forEach((divisor, at) => {
        const size = topology.patch[at];
        expect(size % divisor).toBe(0);
        expect(size - sizes[at]).toBeGreaterThanOrEqual(0);
        expect(size - sizes[at]).toBeLessThan(divisor);
        if (divisor > 1) expect(size / divisor).toBeGreaterThanOrEqual(4);
      });
    }),
  );
});
