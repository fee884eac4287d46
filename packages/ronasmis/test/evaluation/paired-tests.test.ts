import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holm, meanInterval, signedRankTest, studentQuantile } from '../../src/evaluation/paired-tests.ts';

// numpy.random.default_rng(0).normal(0.3, 1, 40), rounded to six digits.
const forty = [
  0.42573, 0.167895, 0.940423, 0.4049, -0.235669, 0.661595, 1.604, 1.247081, -0.403735, -0.965421, -0.323274, 0.341326,
  -2.025031, 0.081208, -0.945911, -0.432267, -0.244259, -0.0163, 0.711631, 1.342513, 0.171465, 1.666463, -0.365195,
  0.65151, 1.20347, 0.394012, -0.443499, -0.621725, -0.157726, 0.520195, -0.709618, 0.090824, 0.140775, 0.840846,
  0.514659, 0.655373, -0.353829, 0.170386, 1.083975, 1.793431,
];

describe('signedRankTest', () => {
  it('agrees with scipy.stats.wilcoxon (1.17.1)', () => {
    expect(signedRankTest([1.2, -0.4, 2.5, 0.7, -1.9, 3.1, 0.2, 1.5, -0.9, 2.2])).toBeCloseTo(0.16015625, 12);
    expect(signedRankTest(forty)).toBeCloseTo(0.062184092836105265, 12);
  });

  it('agrees with its exact permutation test where there are ties and zeros', () => {
    // wilcoxon(d, method=PermutationMethod(n_resamples=numpy.inf))
    expect(signedRankTest([1, -1, 2, 0, 3, -2, 2, 4, 0, 5, -1, 1])).toBeCloseTo(0.109375, 12);
  });

  it('says nothing of differences that are all 0, and all it can of one sign', () => {
    expect(signedRankTest([])).toBe(1);
    expect(signedRankTest([0, 0])).toBe(1);
    expect(signedRankTest([1, 2, 3, 4, 5])).toBeCloseTo(2 / 32, 12);
  });

  it('does not mind the sign, the order and the unit', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 60 }), (differences) => {
        const p = signedRankTest(differences);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(signedRankTest(differences.map((difference) => -3 * difference).reverse())).toBeCloseTo(p, 10);
      }),
    );
  });
});

describe('holm', () => {
  it('multiplies the smallest by their number, the next by one less, and keeps the order', () => {
    // By hand: 0.005 * 4, 0.01 * 3, 0.03 * 2, and 0.04 * 1, which must not be below the one before.
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.5, 0.9])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });

  it('never makes a p smaller, nor larger than Bonferroni', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (ps) => {
        holm(ps).forEach((p, i) => {
          expect(p).toBeGreaterThanOrEqual(ps[i]);
          expect(p).toBeLessThanOrEqual(Math.min(1, ps[i] * ps.length));
        });
      }),
    );
  });
});

describe('meanInterval', () => {
  it('agrees with scipy.stats.t.interval', () => {
    const interval = meanInterval([0.84, 0.86, 0.87]);
    expect(interval?.low).toBeCloseTo(0.8187208363306989, 12);
    expect(interval?.high).toBeCloseTo(0.8946124970026342, 12);
    expect(meanInterval([0.84])).toBeNull();
  });

  it("has Student's quantiles, as scipy.stats.t.ppf(0.975, degrees)", () => {
    const references: [number, number][] = [
      [1, 12.706204736174694],
      [2, 4.302652729749462],
      [3, 3.1824463052837078],
      [4, 2.7764451051977934],
      [7, 2.364624251592784],
      [10, 2.228138851986274],
      [30, 2.0422724563012378],
    ];
    for (const [degrees, value] of references) expect(studentQuantile(degrees)).toBeCloseTo(value, 10);
  });
});
