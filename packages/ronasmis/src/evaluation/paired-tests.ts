import { sum } from '../base/statistics.ts';
import { spreadOf } from './summary.ts';

/**
 * Two-sided p of Wilcoxon's signed rank test (Wilcoxon 1945): how likely differences as one-sided as these are where either sign is as
 * likely. Exact for any ranks: every assignment of signs counts. Differences of 0 are left out; equal ones share their mean rank.
 * @returns 1 where no difference is left
 */
export function signedRankTest(differences: readonly number[]): number {
  const unequal = differences.filter((difference) => difference !== 0);
  const ranks = doubledRanks(unequal.map(Math.abs));
  const total = sum(ranks);
  const positive = sum(ranks.filter((_, i) => unequal[i] > 0));
  // Share of the 2^n assignments of signs by the sum of the positive ranks.
  const shares = new Float64Array(total + 1);
  shares[0] = 1;
  let reach = 0;
  for (const rank of ranks) {
    reach += rank;
    for (let at = reach; at >= 0; at--) shares[at] = (shares[at] + (at >= rank ? shares[at - rank] : 0)) / 2;
  }
  const tail = sum([...shares.subarray(0, Math.min(positive, total - positive) + 1)]);
  return Math.min(1, 2 * tail);
}

/** Twice the rank of each value, from 2 on, so that the mean rank of equal values is a whole number. */
function doubledRanks(values: readonly number[]): readonly number[] {
  const ascending = [...values].sort((a, b) => a - b);
  return values.map((value) => ascending.indexOf(value) + ascending.lastIndexOf(value) + 2);
}

/** p values of one family of tests, adjusted so that the chance of any false alarm stays below a level (Holm 1979). */
export function holm(ps: readonly number[]): readonly number[] {
  const order = ps.map((_, i) => i).sort((a, b) => ps[a] - ps[b]);
  const adjusted = [...ps];
  let largest = 0;
  order.forEach((at, rank) => {
    largest = Math.max(largest, Math.min(1, ps[at] * (ps.length - rank)));
    adjusted[at] = largest;
  });
  return adjusted;
}

/** The interval that holds the mean of what the values were drawn from with 95 % confidence (Student's t); `null` for less than two. */
export function meanInterval(values: readonly number[]): { readonly low: number; readonly high: number } | null {
  const spread = spreadOf(values);
  if (spread === null || spread.count < 2) return null;
  const { count, mean, deviation } = spread;
  const half = (studentQuantile(count - 1) * deviation) / Math.sqrt(count);
  return { low: mean - half, high: mean + half };
}

/** The value that Student's t with so many degrees of freedom stays within, to either side, in 95 % of the cases. */
export function studentQuantile(degrees: number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let halvings = 0; halvings < 60; halvings++) {
    const middle = (low + high) / 2;
    if (withinAngle(middle, degrees) < 0.95) low = middle;
    else high = middle;
  }
  return Math.tan(low) * Math.sqrt(degrees);
}

/** Probability that |t| is at most tan(angle) * sqrt(degrees) (Abramowitz & Stegun 26.7.3 and 26.7.4). */
function withinAngle(angle: number, degrees: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let series = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    term *= (cosine ** 2 * (k - 1)) / k;
    series += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * series) : sine * series;
}
