import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coarserSpacing, resampledShape, transposed, transposition } from '../../../src/systems/nnunet/resolution.ts';

test('the coarsest axis comes first, and back', () => {
  // nnunetv2 2.8.1: ExperimentPlanner.determine_transpose; of axes that are as coarse, the first
  expect(transposition([0.8, 5, 0.8])).toEqual({ forward: [1, 0, 2], backward: [1, 0, 2] });
  expect(transposition([0.7, 0.7, 3])).toEqual({ forward: [2, 0, 1], backward: [1, 2, 0] });
  expect(transposition([1, 1, 1])).toEqual({ forward: [0, 1, 2], backward: [0, 1, 2] });
  const spacing = fc.double({ min: 0.1, max: 9, noNaN: true });
  fc.assert(
    fc.property(fc.tuple(spacing, spacing, spacing), (values) => {
      const { forward, backward } = transposition(values);
      expect(transposed(transposed(values, forward), backward)).toEqual(values);
    }),
  );
});

test('the voxels at another spacing are rounded as Python does, half to even', () => {
  // nnunetv2 2.8.1: compute_new_shape([5, 7, 9], [1, 1, 1.5], [2, 2, 1])
  expect(resampledShape([5, 7, 9], [1, 1, 1.5], [2, 2, 1])).toEqual([2, 4, 14]);
});

test('fine axes get coarser first, until none is more than twice as fine as the coarsest', () => {
  expect(coarserSpacing([3, 1, 1.6])).toEqual([3, 1.03, 1.6]);
  expect(coarserSpacing([2, 1, 1.5])).toEqual([2.06, 1.03, 1.5 * 1.03]);
});
