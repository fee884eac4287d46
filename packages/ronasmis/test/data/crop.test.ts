import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { cropChannel, foregroundBox } from '../../src/data/crop.ts';

const axes = [0, 1, 2] as const;
const length = fc.integer({ min: 1, max: 5 });
const volumes = fc
  .tuple(length, length, length, fc.integer({ min: 1, max: 2 }))
  .chain(([depth, height, width, channels]) =>
    fc
      .array(fc.constantFrom(0, 0, 0, 0, 7), {
        minLength: channels * depth * height * width,
        maxLength: channels * depth * height * width,
      })
      .map((values) => ({ data: Int16Array.from(values), channels, shape: [depth, height, width] satisfies Triple })),
  );

/** Where a voxel lies. */
const placeOf = (voxel: number, [, height, width]: Triple): Triple => [
  Math.floor(voxel / (height * width)),
  Math.floor(voxel / width) % height,
  voxel % width,
];

test('the box holds every voxel that is not 0 in some channel, and has one on each of its sides', () => {
  fc.assert(
    fc.property(volumes, (volume) => {
      const { data, shape } = volume;
      const { offset, shape: size } = foregroundBox(volume);
      const places = [...data].flatMap((value, i) => (value === 0 ? [] : [placeOf(i % voxelsOf(shape), shape)]));
      if (places.length === 0) {
        expect({ offset, size }).toEqual({ offset: [0, 0, 0], size: shape });
        return;
      }
      for (const axis of axes) {
        const along = places.map((place) => place[axis]);
        expect([offset[axis], offset[axis] + size[axis] - 1]).toEqual([Math.min(...along), Math.max(...along)]);
      }
    }),
  );
});

test('a channel is copied as it is, voxel by voxel', () => {
  fc.assert(
    fc.property(volumes, (volume) => {
      const box = foregroundBox(volume);
      for (let channel = 0; channel < volume.channels; channel++) {
        const target = new Float32Array(voxelsOf(box.shape));
        cropChannel(volume, channel, box, target);
        target.forEach((value, i) => {
          const [z, y, x] = placeOf(i, box.shape).map((at, axis) => at + box.offset[axis]);
          const [depth, height, width] = volume.shape;
          expect(value).toBe(volume.data[((channel * depth + z) * height + y) * width + x]);
        });
      }
    }),
  );
});
