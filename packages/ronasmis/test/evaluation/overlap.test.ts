import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareLabels } from '../../src/evaluation/overlap.ts';

/** Two label volumes of one shape, with runs of equal labels and label values far apart. */
const volumes = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 7 }))
  .chain((shape) => {
    const length = shape[0] * shape[1] * shape[2];
    const labels = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 70_000), { minLength: length, maxLength: length });
    return fc.tuple(fc.constant(shape), labels, labels);
  });

describe('compareLabels', () => {
  it('counts and bounds what voxel by voxel counting does', () => {
    fc.assert(
      fc.property(volumes, ([shape, prediction, reference]) => {
        const classes = compareLabels(prediction, Float32Array.from(reference), shape);
        const present = new Set([...prediction, ...reference].filter((label) => label !== 0));
        expect(new Set(classes.keys())).toEqual(present);
        for (const [label, { overlap, box }] of classes) {
          const voxels = prediction.map((_, voxel) => voxel);
          const predicted = voxels.filter((voxel) => prediction[voxel] === label);
          const expected = voxels.filter((voxel) => reference[voxel] === label);
          const both = predicted.filter((voxel) => reference[voxel] === label).length;
          expect(overlap).toEqual({ predicted: predicted.length, reference: expected.length, both });

          const indices = [...predicted, ...expected].map((voxel) => [
            Math.floor(voxel / (shape[1] * shape[2])),
            Math.floor(voxel / shape[2]) % shape[1],
            voxel % shape[2],
          ]);
          const low = [0, 1, 2].map((axis) => Math.min(...indices.map((index) => index[axis])));
          const high = [0, 1, 2].map((axis) => Math.max(...indices.map((index) => index[axis])));
          expect(box).toEqual({ offset: low, shape: high.map((last, axis) => last - low[axis] + 1) });
        }
      }),
    );
  });
});
