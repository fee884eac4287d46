import { averagePooling3d, scope, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';

import { fillBatch } from '../../src/batches/fill-batch.ts';
import { downsampledShape, downsampleImages, downsampleLabels } from '../../src/preparation/downsampling.ts';

const extent = fc.integer({ min: 1, max: 9 });
const stride = fc.constantFrom<1 | 2>(1, 2);
const volumes = fc.record({
  count: fc.integer({ min: 1, max: 2 }),
  shape: fc.tuple(extent, extent, extent),
  downsampling: fc.tuple(stride, stride, stride),
});

/** The place of a voxel in flat volumes of `shape`. */
const placeIn =
  ([depth, height, width]: Triple) =>
  (volume: number, z: number, y: number, x: number): number =>
    ((volume * depth + z) * height + y) * width + x;

/** Every place of flat volumes of `shape`: volume, depth, height, width. */
function* places(count: number, [depth, height, width]: Triple): Generator<readonly [number, number, number, number]> {
  for (let volume = 0; volume < count; volume++)
    for (let z = 0; z < depth; z++)
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) yield [volume, z, y, x];
}

/** The places along an axis that a downsampled voxel is the mean of. */
const around = (at: number, stride: number, size: number): readonly number[] =>
  (stride === 1 ? [at] : [2 * at, 2 * at + 1]).filter((place) => place < size);

it('leaves of a label the first voxel of each cell, and of an image the mean of the cell', () => {
  fc.assert(
    fc.property(volumes, ({ count, shape, downsampling }) => {
      const length = count * shape[0] * shape[1] * shape[2];
      const values = Float32Array.from({ length }, (_, i) => Math.sin(i * i));
      const classes = Uint8Array.from({ length }, (_, i) => (i * 7) % 5);
      const downsampled = downsampledShape(shape, downsampling);
      const [image, label] = [
        downsampleImages(values, shape, downsampling),
        downsampleLabels(classes, shape, downsampling),
      ];
      expect([image.length, label.length]).toEqual(
        Array(2).fill(count * downsampled[0] * downsampled[1] * downsampled[2]),
      );
      for (const [volume, z, y, x] of places(count, downsampled)) {
        const at = placeIn(downsampled)(volume, z, y, x);
        const near = around(z, downsampling[0], shape[0]).flatMap((k) =>
          around(y, downsampling[1], shape[1]).flatMap((j) =>
            around(x, downsampling[2], shape[2]).map((i) => values[placeIn(shape)(volume, k, j, i)]),
          ),
        );
        expect(image[at]).toBeCloseTo(near.reduce((sum, value) => sum + value, 0) / near.length, 5);
        expect(label[at]).toBe(
          classes[placeIn(shape)(volume, z * downsampling[0], y * downsampling[1], x * downsampling[2])],
        );
      }
    }),
  );
});

it('takes the means that a network takes which has a coarse one beside it', () => {
  fc.assert(
    fc.property(volumes, ({ shape, downsampling }) => {
      const values = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => Math.sin(i * i));
      const pooled = scope(() => averagePooling3d(tensor(values, [1, 1, ...shape]), downsampling).toNumbers());
      const downsampled = downsampleImages(values, shape, downsampling);
      expect(downsampled.length).toBe(pooled.length);
      for (const [at, value] of downsampled.entries()) expect(value).toBeCloseTo(pooled[at], 5);
    }),
  );
});

it('thins the patches of a batch as it thins volumes', () => {
  const shape: Triple = [3, 6, 5];
  const image = Float32Array.from({ length: 2 * 90 }, (_, i) => Math.sin(i * i));
  const label = Uint8Array.from({ length: 90 }, (_, i) => i % 3);
  const cases = [{ channels: 2, shape, storage: { kind: 'memory' as const, image, label } }];
  const crop = { case: 0, offset: [0, 0, 0] as const, flip: [] };
  const downsampling = [1, 2, 2] as const;
  const [downsampled, thinnedLabel] = [new Float32Array(2 * 2 * 27), new Uint8Array(2 * 27)];
  fillBatch(cases, { patch: shape, crops: [crop, crop], downsampling }, { image: downsampled, label: thinnedLabel });
  const expected = [downsampleImages(image, shape, downsampling), downsampleLabels(label, shape, downsampling)];
  expect([...downsampled]).toEqual([...expected[0], ...expected[0]]);
  expect([...thinnedLabel]).toEqual([...expected[1], ...expected[1]]);
});
