import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';

import { fillBatch } from '../../src/batches/fill-batch.ts';
import { thinImages, thinLabels, thinnedShape } from '../../src/preparation/thinning.ts';

const extent = fc.integer({ min: 1, max: 9 });
const stride = fc.constantFrom(1, 2);
const volumes = fc.record({
  count: fc.integer({ min: 1, max: 2 }),
  shape: fc.tuple(extent, extent, extent),
  thinning: fc.tuple(stride, stride, stride),
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

/** The places along an axis that a thinned voxel is the mean of. */
const around = (at: number, stride: number, size: number): readonly number[] =>
  (stride === 1 ? [at] : [2 * at - 1, 2 * at, 2 * at + 1]).filter((place) => place >= 0 && place < size);

it('leaves of a label every second voxel, and of an image the mean of what is around it', () => {
  fc.assert(
    fc.property(volumes, ({ count, shape, thinning }) => {
      const length = count * shape[0] * shape[1] * shape[2];
      const values = Float32Array.from({ length }, (_, i) => Math.sin(i * i));
      const classes = Uint8Array.from({ length }, (_, i) => (i * 7) % 5);
      const thinned = thinnedShape(shape, thinning);
      const [image, label] = [thinImages(values, shape, thinning), thinLabels(classes, shape, thinning)];
      expect([image.length, label.length]).toEqual(Array(2).fill(count * thinned[0] * thinned[1] * thinned[2]));
      for (const [volume, z, y, x] of places(count, thinned)) {
        const at = placeIn(thinned)(volume, z, y, x);
        const near = around(z, thinning[0], shape[0]).flatMap((k) =>
          around(y, thinning[1], shape[1]).flatMap((j) =>
            around(x, thinning[2], shape[2]).map((i) => values[placeIn(shape)(volume, k, j, i)]),
          ),
        );
        expect(image[at]).toBeCloseTo(near.reduce((sum, value) => sum + value, 0) / near.length, 5);
        expect(label[at]).toBe(classes[placeIn(shape)(volume, z * thinning[0], y * thinning[1], x * thinning[2])]);
      }
    }),
  );
});

it('thins the patches of a batch as it thins volumes', () => {
  const shape: Triple = [3, 6, 5];
  const image = Float32Array.from({ length: 2 * 90 }, (_, i) => Math.sin(i * i));
  const label = Uint8Array.from({ length: 90 }, (_, i) => i % 3);
  const cases = [{ channels: 2, shape, storage: { kind: 'memory' as const, image, label } }];
  const crop = { case: 0, offset: [0, 0, 0] as const, flip: false };
  const thinning = [1, 2, 2] as const;
  const [thinned, thinnedLabel] = [new Float32Array(2 * 2 * 27), new Uint8Array(2 * 27)];
  fillBatch(cases, { patch: shape, crops: [crop, crop], thinning }, { image: thinned, label: thinnedLabel });
  const expected = [thinImages(image, shape, thinning), thinLabels(label, shape, thinning)];
  expect([...thinned]).toEqual([...expected[0], ...expected[0]]);
  expect([...thinnedLabel]).toEqual([...expected[1], ...expected[1]]);
});
