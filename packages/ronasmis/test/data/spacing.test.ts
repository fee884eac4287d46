import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coarsened, commonSpacing, misfitAt, type Sampling, shapeAt, thickAxis } from '../../src/data/spacing.ts';

const grid = (shape: Sampling['shape'], spacing: Sampling['spacing']): Sampling => ({ shape, spacing });

test('the common spacing is the median of each axis', () => {
  const grids = [grid([40, 50, 60], [1, 2, 3]), grid([40, 50, 60], [2, 1, 1]), grid([40, 50, 60], [1.5, 4, 1])];
  expect(commonSpacing(grids)).toEqual([1.5, 2, 1]);
});

test('across thick and few slices it is the 10th percentile, but not less than within them', () => {
  // nnU-Net 2.6: determine_fullres_target_spacing of these spacings and shapes
  const thick = [5, 6, 8, 8, 10, 10, 10].map((depth) => grid([12, 256, 220], [depth, 1.5, 1.4]));
  expect(commonSpacing(thick)).toEqual([expect.closeTo(5.6, 12), 1.5, 1.4]);
  const turned = thick.map(({ shape, spacing }) => grid([shape[1], shape[2], 12], [1.5, 1.4, spacing[0]]));
  expect(commonSpacing(turned)).toEqual([1.5, 1.4, expect.closeTo(5.6, 12)]);
  const some = [1, 1, 8, 8, 8].map((depth) => grid([12, 256, 220], [depth, 1.5, 1.4]));
  expect(commonSpacing(some)).toEqual([1.50001, 1.5, 1.4]);
  // Slices that are many, or not three times as thick as both others, are as any other axis.
  expect(commonSpacing(thick.map(({ spacing }) => grid([80, 256, 220], spacing)))).toEqual([8, 1.5, 1.4]);
  expect(commonSpacing(thick.map(({ shape, spacing }) => grid(shape, [spacing[0], 3, 1.4])))).toEqual([8, 3, 1.4]);
});

test('a coarsened spacing is nowhere finer than so many times its finest axis', () => {
  expect(coarsened([3.6, 1.25, 1.3], 1)).toEqual([3.6, 1.25, 1.3]);
  expect(coarsened([3.6, 1.25, 1.3], 2)).toEqual([3.6, 2.5, 2.5]);
  expect(coarsened([1, 1, 1], 1.5)).toEqual([1.5, 1.5, 1.5]);
});

const millimetres = fc.double({ min: 0.3, max: 8, noNaN: true });
const sizes = fc.integer({ min: 1, max: 300 });
const grids = fc.record({
  shape: fc.tuple(sizes, sizes, sizes),
  spacing: fc.tuple(millimetres, millimetres, millimetres),
});

test('scans of one spacing, give or take 1 %, have it, and stay as they are', () => {
  fc.assert(
    fc.property(fc.array(grids, { minLength: 1 }), fc.double({ min: -0.004, max: 0.004, noNaN: true }), (all, off) => {
      const [{ spacing }] = all;
      const alike = all.map(({ shape }, index) =>
        grid(shape, index % 2 === 0 ? spacing : [spacing[0] * (1 + off), spacing[1], spacing[2] * (1 - off)]),
      );
      const common = commonSpacing(alike);
      for (const one of alike) expect(shapeAt(one, common)).toBe(one.shape);
    }),
  );
});

test('a scan covers as much at another spacing, to half a voxel', () => {
  fc.assert(
    fc.property(grids, grids, (one, { spacing }) => {
      const shape = shapeAt(one, spacing);
      if (shape === one.shape) return;
      for (const axis of [0, 1, 2] as const) {
        const [before, after] = [one.shape[axis] * one.spacing[axis], shape[axis] * spacing[axis]];
        expect(shape[axis]).toBeGreaterThanOrEqual(1);
        if (shape[axis] > 1) expect(Math.abs(after - before)).toBeLessThanOrEqual(spacing[axis] * (0.5 + 1e-9));
      }
    }),
  );
});

test('the thick axis is the coarsest, where it is alone and three times as coarse as the finest', () => {
  // nnU-Net 2.6: determine_do_sep_z_and_axis
  expect(thickAxis([5, 1, 1], [1, 1, 1])).toBe(0);
  expect(thickAxis([1, 1, 1], [1, 1, 5])).toBe(2);
  expect(thickAxis([1, 5, 1.2], [6, 1, 1])).toBe(1);
  expect(thickAxis([3, 1, 1], [3, 1, 1])).toBeUndefined();
  expect(thickAxis([0.24, 1.25, 1.25], [5, 1, 1])).toBeUndefined();
});

test('a scan that would become a hundred times as large has a wrong header', () => {
  expect(misfitAt(grid([20, 100, 100], [5, 1, 1]), [0.5, 0.5, 0.5])).toBeUndefined();
  expect(misfitAt(grid([20, 100, 100], [5000, 1000, 1000]), [5, 1, 1])).toBe('far too large');
  // A scan in metres, and a structure of a few voxels.
  expect(misfitAt(grid([35, 51, 35], [0.001, 0.001, 0.001]), [1, 1, 1])).toBe('a single voxel');
  expect(misfitAt(grid([2, 1, 1], [0.5, 0.5, 0.5]), [2, 2, 2])).toBeUndefined();
  expect(misfitAt(grid([60, 60, 60], [0.1, 0.1, 0.1]), [1, 1, 1])).toBeUndefined();
});
