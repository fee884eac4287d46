import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelRanges, countValues, meanAndDeviation, median, quantile } from '../../src/base/statistics.ts';

test('mean, deviation and quantiles are those of NumPy', () => {
  // numpy 2.4: v = numpy.float32([3, 1, 4, 1, 5, 9, 2, 6]); v.mean(), v.std(), numpy.percentile(v, [0.5, 50, 99.5])
  const values = Float32Array.of(3, 1, 4, 1, 5, 9, 2, 6);
  const { mean, deviation } = meanAndDeviation(values);
  expect([mean, deviation]).toEqual([3.875, expect.closeTo(2.5708704, 6)]);
  const sorted = values.toSorted();
  expect([0.005, 0.5, 0.995].map((fraction) => quantile(sorted, fraction))).toEqual([1, 3.5, expect.closeTo(8.895, 6)]);
});

test('a quantile is that of NumPy to the bit, and a median the mean of the two in the middle', () => {
  // numpy 2.4: numpy.percentile([0.1, 0.3, 0.7], [10, 45, 90]), numpy.median([3, 1, 2]) and numpy.median([0.7, 0.1, 0.3, 5])
  const found = [0.1, 0.45, 0.9].map((fraction) => quantile([0.1, 0.3, 0.7], fraction));
  expect(found).toEqual([0.14, 0.27999999999999997, 0.62]);
  expect([median([3, 1, 2]), median([0.7, 0.1, 0.3, 5])]).toEqual([2, 0.5]);
});

test('values are counted by runs as they are one by one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 1 }), (values) => {
      const expected = new Map<number, number>();
      for (const value of values) expected.set(value, (expected.get(value) ?? 0) + 1);
      expect(countValues(Uint8Array.from(values))).toEqual(expected);
    }),
  );
});

test('a volume of noise is not counted to its end', () => {
  expect(countValues(Float32Array.from({ length: 5000 }, (_, i) => i)).size).toBe(1001);
});

test('channels have their own ranges, and a voxel that is no number is seen', () => {
  expect(channelRanges(Float32Array.of(1, -2, 3, 8, 7, Number.NaN), 2)).toEqual([
    { min: -2, max: 3, allFinite: true },
    { min: 7, max: 8, allFinite: false },
  ]);
  expect(channelRanges(Float32Array.of(1, -Infinity), 1)[0].allFinite).toBe(false);
});
