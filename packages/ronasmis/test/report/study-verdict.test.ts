import { describe, expect, it } from 'vitest';
import { formatInterval, formatProbability, formatSpread, points, verdict } from '../../src/report/study-verdict.ts';
import { studyContent } from './study-content.ts';

describe('verdict', () => {
  it.each([
    [{ low: 0.001, high: 0.02 }, /It was better, beyond the spread between seeds\./],
    [{ low: -0.02, high: -0.001 }, /It was worse, beyond the spread between seeds\./],
    [{ low: -0.01, high: 0.02 }, /no difference can be told from chance\./],
    [null, /with one seed, which says nothing of the spread between seeds\./],
  ])('says of an interval of %j what it allows to say, of random search and of the base architecture', (lead, says) => {
    const [base, near, random, ranks, ...others] = verdict(studyContent(lead).results);
    expect(others).toEqual([]);
    expect(base).toMatch(/^The search \(auto\) against the base architecture, trained without any search: [+−]/);
    expect(near).toMatch(/^The search \(auto\) against random search near the base architecture: [+−]/);
    expect(random).toMatch(/^The search \(auto\) against random search: [+−]/);
    for (const sentence of [base, near, random]) expect(sentence).toMatch(says);
    expect(ranks).toMatch(
      /Kendall's tau 0\.55 \(p 0\.020, 12 children\)\. .* partly as their own would; .*: 0\.31 \(p 0\.180\)\.$/,
    );
  });

  it.each([
    [{ tau: 0.55, p: 0.05 }, /is not shown\./],
    [{ tau: -0.55, p: 0.01 }, /the other way round\./],
    [null, /12 of them have no order, so there is no rank correlation\.$/],
  ])('says of a rank correlation of %j what it allows to say', (correlation, says) => {
    const { results } = studyContent(null);
    const alone = { ...results.alone, with_test: correlation, with_validation: null };
    expect(verdict({ ...results, alone }).at(-1)).toMatch(says);
  });
});

it('figures are written as points and probabilities', () => {
  expect([0.0123, -0.0123, 0].map(points)).toEqual(['+1.23', '−1.23', '+0.00']);
  expect([0.0009, 0.001, 0.5].map(formatProbability)).toEqual(['< 0.001', '0.001', '0.500']);
  expect(formatSpread({ count: 1, mean: 0.8812, deviation: 0 })).toBe('88.12');
  expect(formatSpread({ count: 3, mean: 0.8812, deviation: 0.0123 })).toBe('88.12 ± 1.23');
  const [comparison] = studyContent({ low: -0.01, high: 0.02 }).results.comparisons;
  expect(formatInterval(comparison)).toBe('−1.00 to +2.00');
  expect(formatInterval({ ...comparison, interval: null })).toBe('-');
});
