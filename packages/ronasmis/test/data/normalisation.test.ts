import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meanAndDeviation } from '../../src/base/statistics.ts';
import { isCt, normalisationsFor, normalise, zScore } from '../../src/data/normalisation.ts';

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
});

test('a z-scored channel has mean 0 and standard deviation 1; a constant one is 0', () => {
  const anyValue = fc.double({ min: -1000, max: 1000, noNaN: true });
  fc.assert(
    fc.property(fc.array(anyValue, { minLength: 2, maxLength: 50 }), (drawn) => {
      const values = Float32Array.from(drawn);
      // Where all are nearly the same, rounding is as large as what they differ by.
      fc.pre(meanAndDeviation(values).deviation > 1);
      expect(normalise(values, zScore)).toBe(true);
      expect(meanAndDeviation(values).mean).toBeCloseTo(0, 4);
      expect(meanAndDeviation(values).deviation).toBeCloseTo(1, 4);
    }),
  );
  const constant = new Float32Array(5).fill(7);
  expect(normalise(constant, zScore)).toBe(true);
  expect([...constant]).toEqual([0, 0, 0, 0, 0]);
});

test('intensities of the data set are clipped first', () => {
  const values = Float32Array.of(-1000, -100, 50, 250, 3000);
  expect(normalise(values, { kind: 'data_set', low: -100, high: 250, mean: 50, deviation: 100 })).toBe(true);
  expect([...values]).toEqual([-1.5, -1.5, 0, 2, 2]);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])('a channel with %d is left as it is', (odd) => {
  const values = Float32Array.of(1, odd, 3);
  expect(normalise(values, zScore)).toBe(false);
  expect([...values]).toEqual([1, odd, 3]);
});
