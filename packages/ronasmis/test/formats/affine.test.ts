import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import {
  type Affine,
  affineFromLps,
  affineFromQuaternion,
  affineFromVoxelSizes,
  columnOf,
  dot,
  isPlaced,
  orientationOf,
  requirePlaced,
  spacingOf,
  toVoxelSteps,
} from '../../src/formats/affine.ts';
import { straight } from './scans.ts';

const finite = fc.double({ min: -1, max: 1, noNaN: true });
const size = fc.double({ min: 0.1, max: 10, noNaN: true });
/** Half of a turn at most, so that the real part of the quaternion is not near 0, where NIfTI has it rounded. */
const rotated = fc
  .tuple(fc.tuple(finite, finite, finite), fc.tuple(size, size, size))
  .map(([[b, c, d], sizes]) => affineFromQuaternion([b / 2, c / 2, d / 2], sizes, 1, [1, 2, 3]));

test('a quaternion turns without shear, and voxel sizes are the lengths of the columns', () => {
  const property = fc.property(fc.tuple(finite, finite, finite), fc.tuple(size, size, size), ([b, c, d], sizes) => {
    const affine = affineFromQuaternion([b / 2, c / 2, d / 2], sizes, -1, [4, 5, 6]);
    spacingOf(affine).forEach((spacing, axis) => {
      expect(spacing).toBeCloseTo(sizes[axis], 9);
    });
    for (const [one, other] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      expect(dot(columnOf(affine, one), columnOf(affine, other))).toBeCloseTo(0, 9);
    }
    expect(affine.map((row) => row[3])).toEqual([4, 5, 6, 1]);
  });
  fc.assert(property);
});

test('without a form the scan is centred, its x axis towards the left', () => {
  const affine = affineFromVoxelSizes([5, 3, 1], [2, 1, 4]);
  expect(affine).toEqual([
    [-2, 0, 0, 4],
    [0, 1, 0, -1],
    [0, 0, 4, -0],
    [0, 0, 0, 1],
  ]);
  expect(orientationOf(affine)).toBe('LAS');
});

test('LPS is RAS with two axes mirrored, without negative zeros', () => {
  const affine = affineFromLps(straight(1, 2, 3, 7));
  expect(affine.slice(0, 2)).toEqual([
    [-1, 0, 0, -7],
    [0, -2, 0, 0],
  ]);
  expect(orientationOf(affine)).toBe('LPS');
  expect(affineFromLps(affine)).toEqual(straight(1, 2, 3, 7));
});

test('a step along the axes is what the affine takes to it', () => {
  fc.assert(
    fc.property(rotated, fc.tuple(finite, finite, finite), (affine, steps) => {
      const along = (row: 0 | 1 | 2): number => dot([affine[row][0], affine[row][1], affine[row][2]], steps);
      const millimetres: Triple = [along(0), along(1), along(2)];
      toVoxelSteps(affine, millimetres).forEach((step, axis) => {
        expect(step).toBeCloseTo(steps[axis], 9);
      });
    }),
  );
});

test('an affine that is singular, not finite or of rounding errors alone places no voxel', () => {
  const [x, y, z, last] = straight();
  const none: readonly Affine[] = [
    [x, x, z, last],
    [[Number.NaN, 0, 0, 0], y, z, last],
    [x, y, [0, 0, 0, 0], last],
    straight(1e-8, 1, 1),
  ];
  for (const affine of none) {
    expect(isPlaced(affine)).toBe(false);
    expect(() => requirePlaced('a.nii', affine)).toThrow(/^a\.nii: the header places the voxels nowhere/);
  }
  fc.assert(fc.property(rotated, (affine) => isPlaced(affine)));
});

test('an axis at 45 degrees and less than rounding beside it points the same way', () => {
  const half = Math.SQRT1_2;
  const tilted = (more: number): Affine => [
    [1, 0, 0, 0],
    [0, half, -half - more, 0],
    [0, half + more, half, 0],
    [0, 0, 0, 1],
  ];
  for (const more of [-1e-5, -1e-7, 0, 1e-7, 1e-5]) expect(orientationOf(tilted(more))).toBe('RAS');
  expect(orientationOf(tilted(0.1))).toBe('RSP');
});
