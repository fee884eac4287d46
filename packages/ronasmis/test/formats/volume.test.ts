import { expect, test } from 'vitest';
import { faultOf, gridAt, statedGrid, statedSizes } from '../../src/formats/volume.ts';
import { straight } from './scans.ts';

test.each([
  [[5, 4, 3], [3, 4, 5], 1],
  [[5, 4, 3, 2], [3, 4, 5], 2],
  [[5, 4, 3, 1, 2], [3, 4, 5], 2],
  [[5, 4, 3, 1, 1], [3, 4, 5], 1],
  [[5, 4], [1, 4, 5], 1],
  [[5], [1, 1, 5], 1],
])('a header that states %j', (stated, shape, channels) => {
  const affine = straight(0.8, 0.9, 2.5);
  const grid = statedGrid('a.nii', stated, affine);
  expect(grid).toEqual({ shape, channels, spacing: [2.5, 0.9, 0.8], affine });
  expect(statedGrid('a.nii', statedSizes(grid), affine)).toEqual(grid);
});

test('several axes behind z are refused', () => {
  expect(() => statedGrid('a.nii', [5, 4, 3, 2, 2], straight())).toThrow(
    'a.nii: it has 5 dimensions. Keep x, y, z and channels.',
  );
});

test('a 2D image is no scan, whichever axis is missing', () => {
  expect(faultOf(gridAt([3, 4, 5], 1, straight()))).toBe(undefined);
  expect(faultOf(gridAt([1, 4, 5], 1, straight()))).toMatch(/^this is a 2D image \(5 x 4 voxels\)\./);
  expect(faultOf(gridAt([3, 1, 5], 2, straight()))).toMatch(/^this is a 2D image \(5 x 3 voxels\)\./);
});
