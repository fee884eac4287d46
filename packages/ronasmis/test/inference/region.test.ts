import { memory, scope, tensor } from '@ronasmis/libtorch';
import { assert, constant, integer, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { addLook, partOf, regionsFound } from '../../src/inference/region.ts';
import { chirp } from '../chirp.ts';

/** Logits of two classes, of volumes in which these voxels, and no others, are found. */
function logitsOf(volume: Triple, ...found: readonly (readonly Triple[])[]) {
  const logits = found.flatMap((voxels) => {
    const ofOrgan = new Float32Array(voxelsOf(volume)).fill(-1);
    for (const [z, y, x] of voxels) ofOrgan[(z * volume[1] + y) * volume[2] + x] = 1;
    return [...ofOrgan.map((value) => -value), ...ofOrgan];
  });
  return tensor(Float32Array.from(logits), [found.length, 2, ...volume]);
}

/** The voxels of a box. */
function boxAt(offset: Triple, shape: Triple): readonly Triple[] {
  const along = (axis: 0 | 1 | 2) => Array.from({ length: shape[axis] }, (_, i) => offset[axis] + i);
  return along(0).flatMap((z) => along(1).flatMap((y) => along(2).map((x): Triple => [z, y, x])));
}

const regions = (volume: Triple, patch: Triple, ...found: readonly (readonly Triple[])[]) =>
  scope(() => regionsFound(logitsOf(volume, ...found), patch));

describe('the region that is looked at again', () => {
  test('is the patch about the middle of what was found, moved into the volume, of each image of a batch', () => {
    const patch: Triple = [4, 6, 8];
    const found = regions([12, 14, 16], patch, boxAt([5, 6, 7], [2, 2, 2]), [], boxAt([0, 12, 15], [1, 2, 1]));
    expect(found).toEqual([
      { index: 0, offset: [4, 4, 4], shape: patch },
      { index: 2, offset: [0, 8, 8], shape: patch },
    ]);
  });

  test('holds what is larger than the patch, and leaves out a hundredth of it that is far away', () => {
    const organ = boxAt([2, 3, 4], [6, 5, 5]);
    const holding = [{ index: 0, offset: [2, 3, 4], shape: [6, 5, 5] }];
    expect(regions([12, 14, 16], [3, 4, 4], organ)).toEqual(holding);
    expect(regions([12, 14, 16], [3, 4, 4], [...organ, [11, 0, 15]])).toEqual(holding);
    const further = boxAt([11, 0, 14], [1, 1, 2]);
    expect(regions([12, 14, 16], [3, 4, 4], [...organ, ...further])).toEqual([
      { index: 0, offset: [2, 0, 4], shape: [10, 8, 11] },
    ]);
  });

  test('is none where nothing is found, where it would be the whole volume, and in no larger a volume than the patch', () => {
    const volume: Triple = [5, 6, 7];
    expect(regions(volume, [3, 3, 3], [])).toEqual([]);
    expect(regions(volume, [3, 3, 3], boxAt([0, 0, 0], volume))).toEqual([]);
    expect(regions(volume, [5, 9, 7], boxAt([2, 2, 2], [1, 1, 1]))).toEqual([]);
  });

  test('lies in the volume, is no smaller than the patch, and has a box of what was found in it', () => {
    const sizes = tuple(integer({ min: 1, max: 12 }), integer({ min: 1, max: 12 }), integer({ min: 1, max: 12 }));
    const volumes = sizes.chain((volume) => {
      const [depths, rows, columns] = volume.map((size) =>
        integer({ min: 0, max: size - 1 }).chain((first) =>
          tuple(constant(first), integer({ min: 1, max: size - first })),
        ),
      );
      return tuple(constant(volume), sizes, depths, rows, columns);
    });
    assert(
      property(volumes, ([volume, patch, ...box]) => {
        const [offset, shape] = [0, 1].map((i): Triple => [box[0][i], box[1][i], box[2][i]]);
        for (const region of regions(volume, patch, boxAt(offset, shape))) {
          region.offset.forEach((first, axis) => {
            const end = first + region.shape[axis];
            expect(region.shape[axis]).toBe(Math.min(volume[axis], Math.max(patch[axis], shape[axis])));
            expect(first).toBeGreaterThanOrEqual(0);
            expect(end).toBeLessThanOrEqual(volume[axis]);
            expect(first).toBeLessThanOrEqual(offset[axis]);
            expect(end).toBeGreaterThanOrEqual(offset[axis] + shape[axis]);
          });
        }
      }),
    );
  });

  test('is cut out of its image, and has the mean of both looks where it lies', () => {
    const before = memory().tensors;
    const region = { index: 1, offset: [1, 0, 2], shape: [1, 2, 2] } as const;
    const images = chirp([2, 1, 2, 3, 4], 1);
    const part = partOf(images, region);
    const values = images.toNumbers();
    // Of the second image, the second slice's rows of four.
    const inside = [14, 15, 18, 19].map((voxel) => 24 + voxel);
    expect(part.shape).toEqual([1, 1, 1, 2, 2]);
    expect(part.toNumbers()).toEqual(inside.map((voxel) => values[voxel]));
    const again = tensor(Float32Array.of(10, 20, 30, 40), [1, 1, 1, 2, 2]);
    addLook(images, region, again);
    const wanted = values.map((value, voxel) => {
      const place = inside.indexOf(voxel);
      return place < 0 ? value : Math.fround(Math.fround(value + 10 * (place + 1)) * 0.5);
    });
    expect(images.toNumbers()).toEqual(wanted);
    for (const one of [images, part, again]) one.free();
    expect(memory().tensors).toBe(before);
  });
});
