import { sum } from '../base/statistics.ts';

/** Kendall's tau-b of two rankings, and how likely one as far from 0 is where the rankings have nothing to do with each other. */
export type RankCorrelation = { readonly tau: number; readonly p: number };

/**
 * Kendall's tau-b (Kendall 1945), two-sided. Without ties p is exact; with ties it is that of a normal distribution of the variance
 * that they leave, as in SciPy's `kendalltau`.
 * @returns `null` where one of the two has no order: less than two values, or all of them equal
 * @throws RangeError when the lists differ in length
 */
export function kendallTau(one: readonly number[], other: readonly number[]): RankCorrelation | null {
  if (one.length !== other.length) throw new RangeError(`${one.length} values cannot be paired with ${other.length}`);
  const count = one.length;
  const pairs = (count * (count - 1)) / 2;
  let score = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) score += Math.sign(one[i] - one[j]) * Math.sign(other[i] - other[j]);
  }
  const ties = [tieSizes(one), tieSizes(other)];
  const [ordered, otherOrdered] = ties.map((sizes) => pairs - sum(sizes.map((size) => (size * (size - 1)) / 2)));
  if (ordered === 0 || otherOrdered === 0) return null;
  const hasTies = ties.some((sizes) => sizes.some((size) => size > 1));
  return {
    tau: score / Math.sqrt(ordered * otherOrdered),
    p: hasTies ? twoSided(score / Math.sqrt(scoreVariance(count, ties))) : exactProbability(count, (pairs - score) / 2),
  };
}

/** How often each of the different values occurs. */
function tieSizes(values: readonly number[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()];
}

/** Probability that a random permutation has so few discordant pairs, or so many, as one with `discordant` of them. */
function exactProbability(count: number, discordant: number): number {
  const pairs = (count * (count - 1)) / 2;
  // Of permutations of 1, 2, ... values, the share with each number of discordant pairs: the next value adds 0 to size - 1 of them.
  let shares: readonly number[] = [1];
  for (let size = 2; size <= count; size++) {
    const before = shares;
    shares = Array.from(
      { length: before.length + size - 1 },
      (_, k) => sum(before.slice(Math.max(0, k - size + 1), k + 1)) / size,
    );
  }
  const fewer = Math.min(discordant, pairs - discordant);
  return Math.min(1, 2 * sum(shares.slice(0, fewer + 1)));
}

/** Variance of concordant less discordant pairs under independence, corrected for ties (Kendall, "Rank correlation methods"). */
function scoreVariance(count: number, ties: readonly (readonly number[])[]): number {
  const moved = (size: number) => size * (size - 1) * (2 * size + 5);
  const [twos, threes] = [
    ties.map((sizes) => sum(sizes.map((size) => size * (size - 1)))),
    ties.map((sizes) => sum(sizes.map((size) => size * (size - 1) * (size - 2)))),
  ];
  const untied = (moved(count) - sum(ties[0].map(moved)) - sum(ties[1].map(moved))) / 18;
  const ofTwos = (twos[0] * twos[1]) / (2 * count * (count - 1));
  const ofThrees = count > 2 ? (threes[0] * threes[1]) / (9 * count * (count - 1) * (count - 2)) : 0;
  return untied + ofTwos + ofThrees;
}

/** Probability that a standard normal value is as far from 0 as `z` (Abramowitz & Stegun 26.2.11). */
function twoSided(z: number): number {
  const distance = Math.min(Math.abs(z), 8);
  let term = distance;
  let series = term;
  for (let k = 3; term > series * 1e-17; k += 2) {
    term *= distance ** 2 / k;
    series += term;
  }
  return Math.max(0, 1 - 2 * series * (Math.exp(-(distance ** 2) / 2) / Math.sqrt(2 * Math.PI)));
}
