import { groupBy } from '../base/group-by.ts';
import { mean, sum } from '../base/statistics.ts';
import type { Labelling } from '../data/description.ts';
import { type CaseScores, patientMean, spreadOf, summariseDice } from '../evaluation/summary.ts';
import type { CompareRecord, CompareResults, ScoredRun, SystemResult } from '../run/compare-record.ts';
import type { System } from '../systems/system.ts';
import { type Contest, compareWith } from './paired.ts';
import { runName } from './plan.ts';
import { toleranceMillimetres } from './run-system.ts';

/** What is to be summed up. */
export interface Compared {
  readonly systems: readonly System[];
  readonly folds: readonly number[];
  readonly seeds: number;
  readonly labelling: Pick<Labelling, 'labels' | 'regions'>;
}

/** What the runs of a comparison that have ended say, of these systems, folds and seeds. */
export function compareResults(record: CompareRecord, compared: Compared): CompareResults {
  const { systems, folds, seeds, labelling } = compared;
  const places = folds.flatMap((fold) => Array.from({ length: seeds }, (_, i) => ({ fold, seed: i + 1 })));
  const runsOf = ({ name }: System) => places.map(({ fold, seed }) => runName(name, fold, seed));
  const scored = systems.map((system) => ({
    system,
    runs: runsOf(system).flatMap((run) => {
      const outcome = record.runs[run];
      return outcome?.state === 'finished' ? [{ run, joules: record.joules[run] ?? null, outcome }] : [];
    }),
  }));
  const contests = scored.filter(({ runs }) => runs.length > 0).map(contestOf);
  const [reference, ...others] = contests;
  const cases = scored.flatMap(({ runs }) => runs.flatMap(({ outcome }) => Object.keys(outcome.cases)));
  return {
    tolerance_mm: toleranceMillimetres,
    test_cases: new Set(cases).size,
    folds,
    seeds,
    class_names: classNames(labelling),
    systems: scored.map(({ system, runs }) => systemResult(system, runs, failuresOf(record, runsOf(system)))),
    reference: reference?.name ?? null,
    comparisons: reference === undefined ? [] : compareWith(reference, others),
  };
}

const classNames = ({ labels, regions }: Compared['labelling']): Readonly<Record<string, string>> =>
  Object.fromEntries([
    ...labels.map(({ value, name }) => [String(value), name]),
    ...regions.map(({ name }) => [name, name]),
  ]);

/** A run that has finished. */
interface Scored {
  readonly run: string;
  readonly joules: number | null;
  readonly outcome: ScoredRun;
}

type Figures = SystemResult['runs'][number];

function failuresOf({ runs }: CompareRecord, names: readonly string[]): SystemResult['failures'] {
  return names.flatMap((run) => {
    const outcome = runs[run];
    return outcome?.state === 'failed' ? [{ run, message: outcome.message, is_defect: outcome.is_defect }] : [];
  });
}

/** One score of each class of each case. */
function casesOf({ cases }: ScoredRun, score: 'dice' | 'hd95_mm' | 'nsd'): Readonly<Record<string, CaseScores>> {
  return Object.fromEntries(
    Object.entries(cases).map(([name, classes]) => [
      name,
      Object.fromEntries(Object.entries(classes).map(([label, scores]) => [label, scores[score]])),
    ]),
  );
}

/** As it is compared: by fold and seed. */
function contestOf({ system, runs }: { readonly system: System; readonly runs: readonly Scored[] }): Contest {
  return {
    name: system.name,
    runs: new Map(
      runs.map(({ outcome }) => {
        const cases = casesOf(outcome, 'dice');
        return [`${outcome.fold} ${outcome.seed}`, { worth: worthOf(cases), cases }];
      }),
    ),
  };
}

/** Who finds nothing where nothing is to be found has earned nothing. */
const worthOf = (cases: Readonly<Record<string, CaseScores>>): number => patientMean(Object.values(cases)) ?? 0;

function figuresOf({ run, joules, outcome }: Scored): Figures {
  const dice = casesOf(outcome, 'dice');
  const meanOf = (score: 'hd95_mm' | 'nsd') => patientMean(Object.values(casesOf(outcome, score)));
  const { fold, seed, training_seconds, prediction_seconds, peak_memory_bytes, parameters, cases } = outcome;
  return {
    run,
    fold,
    seed,
    dice: worthOf(dice),
    classes: summariseDice(dice).classes,
    hd95_mm: meanOf('hd95_mm'),
    nsd: meanOf('nsd'),
    training_seconds,
    prediction_seconds_per_case: prediction_seconds / Object.keys(cases).length,
    peak_memory_bytes,
    parameters,
    joules,
  };
}

function systemResult(
  { name, title, traits }: System,
  scored: readonly Scored[],
  failures: SystemResult['failures'],
): SystemResult {
  const runs = scored.map(figuresOf);
  const byFold = [...groupBy(runs, ({ fold }) => fold).values()].map((ofFold) => ofFold.map(({ dice }) => dice));
  const scores = scored.flatMap(({ outcome }) =>
    Object.values(outcome.cases).flatMap((classes) => Object.values(classes)),
  );
  return {
    name,
    title,
    traits: {
      augmentation: traits.augmentation,
      ensemble: traits.ensemble,
      test_time_augmentation: traits.testTimeAugmentation,
      post_processing: traits.postProcessing,
      inference: traits.inference,
    },
    runs,
    failures,
    figures: runs.length === 0 ? null : meanFigures(runs),
    seed_deviation: deviationWithin(byFold),
    fold_deviation: byFold.length < 2 ? null : (spreadOf(byFold.map(mean))?.deviation ?? null),
    without_distance: scores.filter(({ dice, hd95_mm }) => dice !== null && hd95_mm === null).length,
  };
}

/** Means over the runs. What is not known of one of them is not known of all: a mean of the others would be of other runs. */
function meanFigures(runs: readonly Figures[]): NonNullable<SystemResult['figures']> {
  const known = (values: readonly (number | null)[]): number | null => spreadOf(values)?.mean ?? null;
  const ofAll = (values: readonly (number | null)[]): number | null => (values.includes(null) ? null : known(values));
  const labels = [...new Set(runs.flatMap(({ classes }) => Object.keys(classes)))];
  return {
    dice: mean(runs.map(({ dice }) => dice)),
    classes: Object.fromEntries(
      labels.map((label) => [label, mean(runs.flatMap(({ classes }) => classes[label] ?? []))]),
    ),
    hd95_mm: known(runs.map(({ hd95_mm }) => hd95_mm)),
    nsd: known(runs.map(({ nsd }) => nsd)),
    training_seconds: mean(runs.map((run) => run.training_seconds)),
    prediction_seconds_per_case: mean(runs.map((run) => run.prediction_seconds_per_case)),
    peak_memory_bytes: ofAll(runs.map((run) => run.peak_memory_bytes)),
    parameters: Math.round(mean(runs.map(({ parameters }) => parameters))),
    joules: ofAll(runs.map(({ joules }) => joules)),
  };
}

/** The standard deviation within groups, taken together (pooled); null where each has one value. */
function deviationWithin(groups: readonly (readonly number[])[]): number | null {
  const degrees = sum(groups.map((group) => group.length - 1));
  if (degrees === 0) return null;
  const squares = groups.map((group) => (group.length - 1) * (spreadOf(group)?.deviation ?? 0) ** 2);
  return Math.sqrt(sum(squares) / degrees);
}
