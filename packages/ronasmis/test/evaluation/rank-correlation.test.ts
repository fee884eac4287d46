import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kendallTau } from '../../src/evaluation/rank-correlation.ts';

// scipy.stats.kendalltau(one, other) of SciPy 1.17.1: statistic and pvalue.
const references: [string, number[], number[], number, number][] = [
  [
    'eight pairs',
    [0.61, 0.55, 0.7, 0.66, 0.58, 0.72, 0.49, 0.64],
    [0.71, 0.69, 0.74, 0.7, 0.72, 0.8, 0.66, 0.73],
    0.7142857142857142,
    0.014136904761904762,
  ],
  [
    'ties in both',
    [0.1, 0.2, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.7, 0.8],
    [0.3, 0.1, 0.2, 0.2, 0.5, 0.5, 0.4, 0.6, 0.6, 0.9],
    0.7229440390678198,
    0.005667606658536776,
  ],
  ['the same order', [1, 2, 3, 4], [1, 2, 3, 4], 1, 0.08333333333333333],
  ['the opposite order', [1, 2, 3, 4], [4, 3, 2, 1], -1, 0.08333333333333333],
];

describe('kendallTau', () => {
  it.each(references)('agrees with SciPy: %s', (_, one, other, tau, p) => {
    const correlation = kendallTau(one, other);
    expect(correlation?.tau).toBeCloseTo(tau, 12);
    expect(correlation?.p).toBeCloseTo(p, 12);
  });

  it('does not know an order where there is none', () => {
    for (const values of [[], [1], [2, 2, 2]]) expect(kendallTau(values, values)).toBeNull();
    expect(kendallTau([1, 2, 3], [5, 5, 5])).toBeNull();
    expect(() => kendallTau([1, 2], [1])).toThrow('2 values cannot be paired with 1');
  });

  it('lies within -1 and 1, turns with one of the orders, and does not mind which comes first', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), { minLength: 2 });
    fc.assert(
      fc.property(pairs, (all) => {
        const [one, other] = [all.map(([value]) => value), all.map(([, value]) => value)];
        const correlation = kendallTau(one, other);
        if (correlation === null) return;
        expect(Math.abs(correlation.tau)).toBeLessThanOrEqual(1 + 1e-12);
        expect(correlation.p).toBeGreaterThanOrEqual(0);
        expect(correlation.p).toBeLessThanOrEqual(1);
        expect(kendallTau(other, one)?.tau).toBeCloseTo(correlation.tau, 12);
        const turned = kendallTau(
          one.map((value) => -value),
          other,
        );
        expect(turned?.tau).toBeCloseTo(-correlation.tau, 12);
        expect(turned?.p).toBeCloseTo(correlation.p, 12);
      }),
    );
  });

  it('finds random orders as far from each other as its p says', () => {
    // Of the 120 orders of five values, the share with p of at most 0.1 is at most 0.1.
    const orders = (values: number[]): number[][] =>
      values.length === 0
        ? [[]]
        : values.flatMap((value) => orders(values.filter((other) => other !== value)).map((rest) => [value, ...rest]));
    const ps = orders([1, 2, 3, 4, 5]).map((order) => kendallTau([1, 2, 3, 4, 5], order)?.p ?? Number.NaN);
    for (const p of new Set(ps)) expect(ps.filter((other) => other <= p + 1e-9).length / 120).toBeCloseTo(p, 9);
  });
});
