import fc from 'fast-check';
import { expect, test } from 'vitest';
import { framesOf, packFrames } from '../../src/formats/dicom-frames.ts';

test("bits are packed as NumPy's packbits does, without a gap between frames", () => {
  const data = Uint8Array.of(0, 3, 3, 0, 7, 3, 0, 0, 0, 7, 7, 7, 3, 0, 3);
  const frames = framesOf(data, 5, [3, 7]);
  const [first, second, third] = [0, 1, 2].map((slice) => ({ label: 0, slice }));
  expect(frames).toEqual([
    first,
    second,
    third,
    { label: 1, slice: 0 },
    { label: 1, slice: 1 },
    { label: 1, slice: 2 },
  ]);
  // numpy.packbits(numpy.concatenate([s == v for v in (3, 7) for s in data.reshape(3, 5)]), bitorder='little')
  expect([...packFrames(data, 5, [3, 7], frames)]).toEqual([38, 80, 8, 7]);
});

test('where there is no label at all, there is an empty frame', () => {
  const frames = framesOf(new Int16Array(12), 4, [1, 2]);
  expect(frames).toEqual([{ label: 0, slice: 0 }]);
  expect([...packFrames(new Int16Array(12), 4, [1, 2], frames)]).toEqual([0]);
});

test('every voxel of a label is in one frame, and no frame is empty', () => {
  const values = [1, 4, 300, 2 ** 31 - 1];
  const labels = fc.array(fc.constantFrom(0, ...values, 9), { minLength: 6, maxLength: 60 });
  fc.assert(
    fc.property(labels, fc.integer({ min: 1, max: 6 }), (drawn, pixels) => {
      const data = Int32Array.from(drawn.slice(0, drawn.length - (drawn.length % pixels)));
      const frames = framesOf(data, pixels, values);
      const packed = packFrames(data, pixels, values, frames);
      const found = new Int32Array(data.length);
      const sums = frames.map(({ label, slice }, frame) => {
        let sum = 0;
        for (let i = 0; i < pixels; i++) {
          const bit = frame * pixels + i;
          if ((packed[bit >> 3] & (1 << (bit & 7))) === 0) continue;
          found[slice * pixels + i] += values[label];
          sum++;
        }
        return sum;
      });
      expect(found).toEqual(data.map((value) => (values.includes(value) ? value : 0)));
      if (found.some((value) => value > 0)) expect(Math.min(...sums)).toBeGreaterThan(0);
    }),
  );
});
