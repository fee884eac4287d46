import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meanAndDeviation } from '../../src/base/statistics.ts';
import {
  clearOutside,
  isCt,
  maskedZScore,
  maskFor,
  normalisationsFor,
  normalise,
  zScore,
} from '../../src/data/normalisation.ts';

test('CT alone is normalised by the data set', () => {
  const intensities = {
    mean: 50,
    deviation: 20,
    min: -900,
    percentile005: -100,
    median: 40,
    percentile995: 200,
    max: 3000,
  };
  expect(['CT', 'ct', 'CTA', 'T1'].map(isCt)).toEqual([true, true, false, false]);
  expect(normalisationsFor(['CT', 'T1'], [intensities, intensities])).toEqual([
    { kind: 'data_set', low: -100, high: 200, mean: 50, deviation: 20 },
    { kind: 'z_score' },
  ]);
  expect(normalisationsFor(['CT', 'T1'], [intensities, intensities], true).map(({ kind }) => kind)).toEqual([
    'data_set',
    'masked_z_score',
  ]);
});

test('a z-scored channel has mean 0 and standard deviation 1; a constant one is 0', () => {
  const anyValue = fc.double({ min: -1000, max: 1000, noNaN: true });
  fc.assert(
    fc.property(fc.array(anyValue, { minLength: 2, maxLength: 50 }), (drawn) => {
      const values = Float32Array.from(drawn);
      // Where all are nearly the same, rounding is as large as what they differ by.
      fc.pre(meanAndDeviation(values).deviation > 1);
      expect(normalise(values, zScore, undefined)).toBe(true);
      expect(meanAndDeviation(values).mean).toBeCloseTo(0, 4);
      expect(meanAndDeviation(values).deviation).toBeCloseTo(1, 4);
    }),
  );
  const constant = new Float32Array(5).fill(7);
  expect(normalise(constant, zScore, undefined)).toBe(true);
  expect([...constant]).toEqual([0, 0, 0, 0, 0]);
});

test('intensities of the data set are clipped first', () => {
  const values = Float32Array.of(-1000, -100, 50, 250, 3000);
  expect(normalise(values, { kind: 'data_set', low: -100, high: 250, mean: 50, deviation: 100 }, undefined)).toBe(true);
  expect([...values]).toEqual([-1.5, -1.5, 0, 2, 2]);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])('a channel with %d is left as it is', (odd) => {
  const values = Float32Array.of(1, odd, 3);
  expect(normalise(values, zScore, undefined)).toBe(false);
  expect([...values]).toEqual([1, odd, 3]);
});

test('z-scores within a mask are those of what it has, a hole included, and the rest is 0', () => {
  // nnunetv2 2.8.1: crop_to_nonzero of two channels of 3 x 4 x 5 voxels, (i * i) % 23 + 1 and (i * 7) % 11 + 5 of the index i in 5 x 6 x 7 where the
  // crop is cut from, the second of them 0 at x = 0; both 0 at (1, 1, 2), a hole, at (1, 2, 0) and at (0, 0, 0). Then ZScoreNormalization(True, {}).
  const [depth, height, width] = [3, 4, 5];
  const image = new Float32Array(120);
  for (let voxel = 0; voxel < 60; voxel++) {
    const [z, y, x] = [Math.floor(voxel / 20), Math.floor(voxel / 5) % 4, voxel % 5];
    const i = ((z + 1) * 6 + y + 1) * 7 + x + 1;
    if ([0, 27, 30].includes(voxel)) continue;
    image[voxel] = ((i * i) % 23) + 1;
    image[60 + voxel] = x === 0 ? 0 : ((i * 7) % 11) + 5;
  }
  const normalisations = [maskedZScore, maskedZScore];
  const mask = maskFor(normalisations, () => image, [depth, height, width]);
  normalisations.forEach((one, channel) => {
    expect(normalise(image.subarray(60 * channel, 60 * channel + 60), one, mask)).toBe(true);
  });
  const expected = [
    [0, -0.9449, 0.9811, -0.7698, 1.8566, -0.2445, -0.2445, 0.1057, 0.806, 1.8566],
    [-0.7698, 1.8566, -1.4702, 0.1057, -0.2445, 0, 1.8566, -0.7698, 0.9811, -0.9449],
    [0, 0.3638, -0.4556, 0.9784, 0.1589, -1.6848, 1.3881, 0.5686, -0.2508, 1.1832],
    [-1.6848, 0.7735, -1.6848, 1.3881, 0.5686, 0, -0.4556, 0.9784, 0.1589, -0.6605],
  ];
  [0, 25, 60, 85].forEach((from, at) => {
    expected[at].forEach((value, i) => {
      expect(image[from + i], `voxel ${from + i}`).toBeCloseTo(value, 4);
    });
  });
  expect([0, 30, 60, 90].map((voxel) => image[voxel])).toEqual([0, 0, 0, 0]);

  // An image that is 0 everywhere has nothing inside.
  const empty = new Float32Array(8);
  expect(
    normalise(
      empty,
      maskedZScore,
      maskFor([maskedZScore], () => empty, [2, 2, 2]),
    ),
  ).toBe(true);
  expect([...empty]).toEqual(Array(8).fill(0));
  expect(normalise(Float32Array.of(1, Number.NaN), maskedZScore, Uint8Array.of(1, 1))).toBe(false);
  expect(() => normalise(empty, maskedZScore, undefined)).toThrow('need one');
});

test('nobody asks for a mask where none is gone by, and outside of one only those channels are cleared that go by it', () => {
  const image = () => expect.unreachable();
  expect(maskFor([zScore, { kind: 'data_set', low: 0, high: 1, mean: 0, deviation: 1 }], image, [1, 1, 2])).toBe(
    undefined,
  );
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  clearOutside(values, [zScore, maskedZScore], Uint8Array.of(0, 1, 0));
  expect([...values]).toEqual([1, 2, 3, 0, 5, 0]);
});
