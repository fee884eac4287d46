import { mean } from '../base/statistics.ts';
import { holm, meanInterval, signedRankTest } from '../evaluation/paired-tests.ts';
import { type CaseScores, caseMean, spreadOf } from '../evaluation/summary.ts';
import type { Comparison } from '../run/study-record.ts';

/** A contestant's runs, by what a run of one is compared with of another: its seed, its fold. */
export interface Contest {
  readonly name: string;
  readonly runs: ReadonlyMap<string, ContestedRun>;
}

/** A run that has ended. */
export interface ContestedRun {
  /** Its Dice, a fraction. */
  readonly worth: number;
  /** Dice of each class of each test case. */
  readonly cases: Readonly<Record<string, CaseScores>>;
}

/**
 * The differences of one contestant's Dice from each other one's, of runs that both have, tested as one family; contestants without any such
 * run are left out.
 */
export function compareWith(one: Contest, others: readonly Contest[]): readonly Comparison[] {
  const compared = others.flatMap((other) => {
    const pairs = pairsOf(one, other);
    if (pairs.length === 0) return [];
    const differences = pairs.map(([mine, theirs]) => mine.worth - theirs.worth);
    return {
      other: other.name,
      difference: mean(differences),
      interval: meanInterval(differences),
      p: signedRankTest(caseDifferences(pairs)),
    };
  });
  const adjusted = holm(compared.map(({ p }) => p));
  return compared.map((comparison, i) => ({ ...comparison, p_holm: adjusted[i] }));
}

type Pair = readonly [ContestedRun, ContestedRun];

function pairsOf(one: Contest, other: Contest): readonly Pair[] {
  return [...one.runs].flatMap(([key, run]) => {
    const theirs = other.runs.get(key);
    return theirs === undefined ? [] : [[run, theirs] as const];
  });
}

/** By test case, one's Dice less the other's, each a mean over its runs; cases without any class are left out. */
function caseDifferences(pairs: readonly Pair[]): readonly number[] {
  const names = new Set(pairs.flatMap(([mine]) => Object.keys(mine.cases)));
  const meanOf = (name: string, side: 0 | 1): number | undefined =>
    spreadOf(pairs.map((pair) => caseMean(pair[side].cases[name] ?? {})))?.mean;
  return [...names].flatMap((name) => {
    const [mine, theirs] = [meanOf(name, 0), meanOf(name, 1)];
    return mine === undefined || theirs === undefined ? [] : [mine - theirs];
  });
}
