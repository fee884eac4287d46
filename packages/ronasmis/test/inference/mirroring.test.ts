import { add, flip, memory, multiply, scope, type Tensor, to } from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import { meanOfMirrorings } from '../../src/inference/mirroring.ts';
import { chirp } from '../chirp.ts';

describe('the mean of mirrorings', () => {
  const shape = [2, 1, 3, 4, 5] as const;
  const image = chirp(shape, 1);
  const ramp = chirp(shape, 4);
  /** No mirroring of it is the same. */
  const weighted = (volume: Tensor): Tensor => multiply(volume, ramp);

  test('is that of the logits of all eight, each mirrored back', () => {
    scope(() => {
      // What is mirrored twice is where it was, so each voxel counts by the weights of its eight mirror images.
      const [depths, rows, columns] = [
        [0, 1],
        [0, 1],
        [0, 1],
      ];
      const weights = depths.flatMap((z) =>
        rows.flatMap((y) => columns.map((x) => flip(ramp, [...(z ? [2] : []), ...(y ? [3] : []), ...(x ? [4] : [])]))),
      );
      const sum = multiply(
        image,
        weights.reduce((total, one) => add(total, one)),
      ).toNumbers();
      meanOfMirrorings(image, weighted)
        .toNumbers()
        .forEach((value, i) => {
          expect(value).toBeCloseTo(sum[i] / 8, 6);
        });
    });
  });

  test('is what one pass says where mirroring changes nothing', () => {
    scope(() => {
      const given = image.toNumbers();
      meanOfMirrorings(image, (volume) => to(volume, { copy: true }))
        .toNumbers()
        .forEach((value, i) => {
          expect(value).toBeCloseTo(given[i], 6);
        });
    });
  });

  test('sums up in float32 whatever the precision, and leaves no tensor but its result', () => {
    const half = to(image, { dataType: 'bfloat16', memoryFormat: 'channels_last_3d' });
    const before = memory().tensors;
    const types = new Set<string>();
    const found = meanOfMirrorings(half, (volume) => {
      types.add(volume.dataType);
      return to(volume, { copy: true });
    });
    expect([found.dataType, [...types]]).toEqual(['float32', ['bfloat16']]);
    expect(memory().tensors).toBe(before + 1);
    found.free();
  });
});
