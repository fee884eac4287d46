import { basename } from 'node:path';
import { mean, sum } from '../base/statistics.ts';
import { compareWith } from '../compare/paired.ts';
import { kendallTau } from '../evaluation/rank-correlation.ts';
import { spreadOf } from '../evaluation/summary.ts';
import type { SearchEvent } from '../run/event.ts';
import type { RunFiles } from '../run/read-run.ts';
import type { ContestantResult, ContestRun, RewardPoint, StudyResults } from '../run/study-record.ts';
import { contributions } from './contributions.ts';
import { contestOf, type FinishedRun, finishedRun, requireOneDataSet, worthOf } from './finished.ts';
import { contestants, roundsOf, type SharedChild, type StudyOptions, searchName } from './plan.ts';

/** A contestant's searches, in the order of their seeds. */
interface Searches {
  readonly name: string;
  readonly runs: readonly FinishedRun[];
}

/** What a study has run. */
export interface StudiedRuns {
  readonly options: Pick<StudyOptions, 'seeds' | 'folds' | 'fold'>;
  /** Every contestant's searches, in any order. */
  readonly contestRuns: readonly RunFiles[];
  /** Those that were trained alone, as they were evaluated with shared weights. */
  readonly children: readonly SharedChild[];
  /** The training of each of them. */
  readonly aloneRuns: readonly RunFiles[];
  /** By the run's name. */
  readonly joules: Readonly<Record<string, number | null>>;
}

/** What a study's run folders say. @throws UserError where the data set changed between searches */
export function studyResults({ options, contestRuns, children, aloneRuns, joules }: StudiedRuns): StudyResults {
  requireOneDataSet([...contestRuns, ...aloneRuns]);
  const finished = contestRuns.map(finishedRun);
  const contests = contestants.map(({ name }) => ({
    name,
    runs: roundsOf(options).map((round) => named(finished, searchName(name, round, options))),
  }));
  const [subject, ...others] = contests;
  const random = contests.filter(({ name }) => name === 'random').flatMap(({ runs }) => runs);
  return {
    seeds: options.seeds,
    test_cases: new Set(subject.runs.flatMap(({ report }) => Object.keys(report.test_dice.cases))).size,
    contestants: contests.map((contest) => contestantResult(contest, joules)),
    comparisons: compareWith(
      contestOf(subject.name, subject.runs),
      others.map(({ name, runs }) => contestOf(name, runs)),
    ),
    alone: aloneResults(children, aloneRuns.map(finishedRun)),
    contributions: contributions(random.flatMap(({ events }) => events)),
  };
}

function named(runs: readonly FinishedRun[], name: string): FinishedRun {
  const found = runs.find(({ folder }) => basename(folder) === name);
  if (!found) throw new Error(`The study has no run called ${name}.`);
  return found;
}

function contestantResult({ name, runs }: Searches, joules: Readonly<Record<string, number | null>>): ContestantResult {
  return {
    name,
    test_dice: spreadOf(runs.map(({ report }) => worthOf(report.test_dice))) ?? {
      count: 0,
      mean: Number.NaN,
      deviation: 0,
    },
    runs: runs.map((run) => contestRun(run, joules[basename(run.folder)] ?? null)),
    best_reward: bestRewards(runs.map(({ events }) => events)),
  };
}

function contestRun({ folder, run, report, events }: FinishedRun, joules: number | null): ContestRun {
  return {
    run: basename(folder),
    seed: run.settings.seed,
    fold: run.settings.fold,
    test_dice: worthOf(report.test_dice),
    validation_dice: worthOf(report.validation_dice),
    seconds: report.seconds,
    training_seconds: sum(events.map((event) => event.training_seconds)),
    evaluation_seconds: sum(events.map((event) => event.evaluation_seconds)) + report.evaluation_seconds,
    joules,
    controller_steps: events.length,
  };
}

/** Moments at which the best reward is looked up, over the longest search. */
const moments = 60;

/** At each moment, what the best child of the last finished step was worth: mean, lowest and highest over the seeds. */
function bestRewards(searches: readonly (readonly SearchEvent[])[]): readonly RewardPoint[] {
  const end = Math.max(...searches.flat().map(({ seconds }) => seconds));
  return Array.from({ length: moments }, (_, i) => ((i + 1) * end) / moments).flatMap((seconds) => {
    const rewards = searches.flatMap(
      (events) => events.findLast((event) => event.seconds <= seconds)?.reward_max ?? [],
    );
    if (rewards.length < searches.length) return [];
    return [{ seconds, mean: mean(rewards), lowest: Math.min(...rewards), highest: Math.max(...rewards) }];
  });
}

function aloneResults(children: readonly SharedChild[], runs: readonly FinishedRun[]): StudyResults['alone'] {
  const alone = runs.map(({ folder, report }, i) => ({
    run: basename(folder),
    reward: children[i].reward,
    validation_dice: worthOf(report.validation_dice),
    test_dice: worthOf(report.test_dice),
  }));
  const rewards = alone.map(({ reward }) => reward);
  return {
    children: alone,
    with_validation: kendallTau(
      rewards,
      alone.map(({ validation_dice }) => validation_dice),
    ),
    with_test: kendallTau(
      rewards,
      alone.map(({ test_dice }) => test_dice),
    ),
  };
}
