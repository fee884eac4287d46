import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponent, mean, median, upperHalf } from '../src/statistics.ts';

describe('median', () => {
  it('is the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 6])).toBe(5.5);
    expect(() => median([])).toThrow(RangeError);
  });

  it('has as many values below it as above it, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1 }), (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
        expect(median(values.toReversed())).toBe(middle);
      }),
    );
  });
});

describe('exponent', () => {
  it('finds the power that the values were made with, whatever the factor', () => {
    const power = fc.double({ min: -2, max: 3, noNaN: true });
    const factor = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(power, factor, (k, c) => {
        const points = [16, 32, 48, 200].map((size) => ({ size, value: c * size ** k }));
        expect(exponent(points)).toBeCloseTo(k, 6);
      }),
    );
  });

  it('is the least-squares slope where the points lie on no line', () => {
    // numpy.polyfit(numpy.log([1, 2, 4, 8]), numpy.log([1, 3, 3, 10]), 1)[0]
    const points = [1, 3, 3, 10].map((value, i) => ({ size: 2 ** i, value }));
    expect(exponent(points)).toBeCloseTo(0.9965784284662087, 12);
  });

  it('refuses what has no logarithm, and a single point', () => {
    expect(() => exponent([{ size: 1, value: 1 }])).toThrow(RangeError);
    expect(() => exponent([1, 2].map((size) => ({ size, value: size - 1 })))).toThrow(RangeError);
  });
});

it('upperHalf keeps the larger sizes, the middle one included', () => {
  const points = [8, 1, 4, 2, 16].map((size) => ({ size, value: 1 }));
  expect(upperHalf(points).map(({ size }) => size)).toEqual([4, 8, 16]);
  expect(upperHalf(points.slice(1)).map(({ size }) => size)).toEqual([4, 16]);
});

it('mean refuses nothing', () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(() => mean([])).toThrow(RangeError);
});
