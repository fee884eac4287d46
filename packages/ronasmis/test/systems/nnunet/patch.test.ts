import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstPatch, fittingTopology } from '../../../src/systems/nnunet/patch.ts';

test('the first patch is as long along all axes in millimetres, and no larger than the median image', () => {
  // nnunetv2 2.8.1, the lines of get_plans_for_configuration before its first get_pool_and_conv_props
  expect(firstPatch([1, 1, 1], [500, 500, 40.5])).toEqual([256, 256, 40.5]);
  expect(firstPatch([5, 0.8, 0.8], [1000, 1000, 1000])).toEqual([75, 472, 472]);
  expect(firstPatch([1, 0.5], [3000, 3000])).toEqual([1448, 2896]);
});

test('an axis is shortened by the smallest step that its poolings allow: 256, 224, 192', () => {
  const tried = new Set<number>();
  fittingTopology([1, 1], [256, 256], ({ patch }) => tried.add(patch[0]).size === 4);
  // 256 voxels are pooled to 4 by 64, 224 to 7 by 32.
  expect([...tried]).toEqual([256, 224, 192, 160]);
});

test('of axes that cover as much of the image, the last is shortened', () => {
  const { patch } = fittingTopology([1, 1, 1], [64, 64, 64], (one) => one.patch.includes(56));
  expect(patch).toEqual([64, 64, 56]);
});

const axis = fc.record({
  spacing: fc.double({ min: 0.2, max: 9, noNaN: true }),
  size: fc.integer({ min: 8, max: 400 }),
});

test('a patch fits, and none is tried twice', () => {
  fc.assert(
    fc.property(fc.tuple(axis, axis, axis), fc.integer({ min: 1e5, max: 1e6 }), (axes, most) => {
      const tried = new Set<string>();
      const { patch } = fittingTopology(
        axes.map(({ spacing }) => spacing),
        axes.map(({ size }) => size),
        (one) => {
          expect(tried).not.toContain(String(one.patch));
          tried.add(String(one.patch));
          return one.patch[0] * one.patch[1] * one.patch[2] <= most;
        },
      );
      expect(patch[0] * patch[1] * patch[2]).toBeLessThanOrEqual(most);
      expect(Math.min(...patch)).toBeGreaterThan(0);
    }),
  );
});
