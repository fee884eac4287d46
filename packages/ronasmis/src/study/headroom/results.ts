import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { mapConcurrently } from '../../base/concurrency.ts';
import { compareWith } from '../../compare/paired.ts';
import { spreadOf } from '../../evaluation/summary.ts';
import type { HeadroomResults, VariantResult } from '../../run/headroom-record.ts';
import { readRun } from '../../run/read-run.ts';
import type { Comparison } from '../../run/study-record.ts';
import type { Change } from '../../space/changes.ts';
import { contestOf, type FinishedRun, finishedRun, requireOneDataSet, worthOf } from '../finished.ts';
import { runName } from '../plan.ts';

/** What is told of a change; the base is one as well. */
type Tried = Pick<Change, 'name' | 'what'>;

/**
 * What the run folders of `out` say each change is worth.
 * @param tried the base, which has run with every seed, and the variants
 * @param problems by variant, why it could not be run
 * @throws UserError where the data set has changed between runs
 */
export async function headroomResults(
  { out, seeds }: { readonly out: string; readonly seeds: number },
  { base, others }: { readonly base: Tried; readonly others: readonly Tried[] },
  problems: Readonly<Record<string, string>>,
): Promise<HeadroomResults> {
  const runsOf = ({ name }: Tried): Promise<readonly FinishedRun[]> =>
    finishedRuns(Array.from({ length: seeds }, (_, at) => join(out, runName(name, at + 1))));
  const baseRuns = await runsOf(base);
  const tried = await mapConcurrently(others, async (variant) => ({ variant, runs: await runsOf(variant) }));
  requireOneDataSet([...baseRuns, ...tried.flatMap(({ runs }) => runs)]);
  const lags = compareWith(
    contestOf(base.name, baseRuns),
    tried.map(({ variant, runs }) => contestOf(variant.name, runs)),
  );
  const figures = baseRuns.map(figuresOf);
  const { mean = 0, deviation = 0 } = spreadOf(figures.map(({ test_dice }) => test_dice)) ?? {};
  const results = tried.map(({ variant: { name, what }, runs }): VariantResult => {
    const lag = lags.find(({ other }) => other === name);
    return { name, what, runs: runs.map(figuresOf), gain: lag ? gainOf(lag) : null, problem: problems[name] ?? null };
  });
  return {
    seeds,
    test_cases: Object.keys(baseRuns[0].report.test_dice.cases).length,
    base: { runs: figures, mean, deviation },
    variants: results.toSorted((one, other) => sortedBy(other) - sortedBy(one)),
  };
}

/** Those of these run folders that have ended. */
async function finishedRuns(folders: readonly string[]): Promise<readonly FinishedRun[]> {
  const ended = folders.filter((folder) => existsSync(join(folder, 'report.json')));
  return (await mapConcurrently(ended, readRun)).map(finishedRun);
}

function figuresOf({ folder, run, report, events }: FinishedRun): HeadroomResults['base']['runs'][number] {
  return {
    run: basename(folder),
    seed: run.settings.seed,
    test_dice: worthOf(report.test_dice),
    validation_dice: worthOf(report.validation_dice),
    training_steps: events.at(-1)?.steps ?? 0,
    seconds: report.seconds,
  };
}

/** By how much the base lags behind, seen from the variant. */
function gainOf({ difference, interval, p, p_holm }: Comparison): VariantResult['gain'] {
  const turned = interval && { low: -interval.high, high: -interval.low };
  return { difference: -difference, interval: turned, p, p_holm };
}

const sortedBy = ({ gain }: VariantResult): number => gain?.difference ?? Number.NEGATIVE_INFINITY;
