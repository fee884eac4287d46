import { scope, type Tensor, tensor } from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import { childLoss, segmentationLoss } from '../../src/network/loss.ts';
import type { Architecture } from '../../src/space/architecture.ts';
import { chirp, expectDigest, product } from '../chirp.ts';
import { chirpLabel, reference } from './peer.ts';

const indicesOf = (classes: number): Tensor =>
  tensor(
    BigInt64Array.from({ length: classes }, (_, i) => BigInt(i)),
    [1, classes, 1, 1, 1],
  );

describe('segmentationLoss', () => {
  test.each(reference.losses)(
    'is the sum of MONAI DiceLoss and PyTorch cross_entropy, for $shape with $present classes present',
    ({ shape, present, loss, gradient }) => {
      const logits = chirp(shape, 2, (value) => 3 * value);
      logits.requiresGradient = true;
      const labelShape = [shape[0], ...shape.slice(2)];
      scope(() => {
        const label = tensor(chirpLabel(product(labelShape), present, 3), labelShape);
        const found = segmentationLoss(logits, label, indicesOf(shape[1]));
        expect(found.item()).toBeCloseTo(loss, 5);
        found.backward();
        if (!logits.gradient) throw new Error('The logits have no gradient.');
        expectDigest(logits.gradient, gradient, 1e-4);
      });
    },
  );

  /** Logits that are sure of a class at every voxel: `certain[v]` is the class of voxel v of one batch. */
  const sure = (certain: readonly number[], classes: number): Tensor =>
    tensor(
      Float32Array.from({ length: classes * certain.length }, (_, i) =>
        certain[i % certain.length] === Math.floor(i / certain.length) ? 100 : 0,
      ),
      [1, classes, 1, 1, certain.length],
    );
  const labelled = (classes: readonly number[]): Tensor =>
    tensor(BigInt64Array.from(classes, BigInt), [1, 1, 1, classes.length]);

  test('is 0 for a sure and right prediction, also of a class that is nowhere', () => {
    const found = segmentationLoss(sure([0, 1, 1, 0], 3), labelled([0, 1, 1, 0]), indicesOf(3));
    expect(found.item()).toBeCloseTo(0, 6);
  });

  test('counts a quarter of wrong voxels by both parts', () => {
    // One of class 1's two voxels is missed: Dice 2/3; the cross-entropy of that voxel is 100, of four voxels 25.
    const found = segmentationLoss(sure([0, 1, 0, 0], 2), labelled([0, 1, 1, 0]), indicesOf(2));
    expect(found.item()).toBeCloseTo(1 - 2 / 3 + 25, 4);
  });
});

describe('childLoss', () => {
  const { child: base } = reference.children['the base'];
  const child: Architecture = {
    ...base,
    encoder: base.encoder.map((choice, level) =>
      level === 2 ? { ...choice, pool: { depth: 1 as const, plane: 2 as const } } : choice,
    ),
  };
  const label = tensor(chirpLabel(6 * 9 * 7, 3, 3), [1, 6, 9, 7]);
  const logits = [chirp([1, 3, 6, 9, 7], 0), chirp([1, 3, 3, 5, 4], 1), chirp([1, 3, 3, 3, 2], 2)];

  /** Every `stride`-th voxel, by plain indexing. */
  function thinned([byDepth, byHeight, byWidth]: readonly number[]): Tensor {
    const values = label.toNumbers();
    const kept = values.filter((_, i) => {
      const [z, y, x] = [Math.floor(i / 63), Math.floor(i / 7) % 9, i % 7];
      return z % byDepth === 0 && y % byHeight === 0 && x % byWidth === 0;
    });
    return tensor(BigInt64Array.from(kept, BigInt), [
      1,
      Math.ceil(6 / byDepth),
      Math.ceil(9 / byHeight),
      Math.ceil(7 / byWidth),
    ]);
  }

  test('weighs the levels 4/7, 2/7 and 1/7, each against the label thinned by its strides', () => {
    const strides = [
      [1, 1, 1],
      [2, 2, 2],
      [2, 4, 4],
    ];
    const parts = logits.map((scores, i) => segmentationLoss(scores, thinned(strides[i]), indicesOf(3)).item());
    const expected = (4 * parts[0] + 2 * parts[1] + parts[2]) / 7;
    expect(childLoss(child, logits, label, indicesOf(3)).item()).toBeCloseTo(expected, 5);
  });

  test('refuses logits of another resolution', () => {
    const wrong = [logits[0], logits[1], chirp([1, 3, 2, 3, 2], 2)];
    expect(() => childLoss(child, wrong, label, indicesOf(3))).toThrow();
  });
});
