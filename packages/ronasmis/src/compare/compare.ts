import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allErrors, isLoadError, UserError } from '../base/errors.ts';
import { removeWhereEmpty, writeAtomically } from '../base/files.ts';
import { checkDataSet } from '../data/check.ts';
import { type DataSet, readDataSet } from '../data/dataset.ts';
import { renderComparison } from '../report/compare-page.ts';
import { type CompareRecord, type CompareResults, compareSchema, type FailedRun } from '../run/compare-record.ts';
import { writeRecord, writeRunFile } from '../run/run-folder.ts';
import { recordSettings, withDefaults } from '../search/options.ts';
import type { SearchHooks } from '../search/search.ts';
import type { System } from '../systems/system.ts';
import { comparisonCsv } from './csv.ts';
import { exampleOf } from './example.ts';
import { hardwareOf } from './hardware.ts';
import { type CompareOptions, foldsOf, type PlannedSystemRun, plannedRuns, systemOptions } from './plan.ts';
import { compareResults } from './results.ts';
import { runSystem } from './run-system.ts';
import { type RunPlace, runSeries, withEnergy } from './series.ts';
import { discardUnbegun, openSeries, type SeriesKind } from './series-folder.ts';

export type { CompareOptions } from './plan.ts';

/** How a comparison is watched and stopped: as a search is, but that the time left is that of all, and that `onStart` is told of the first run alone. */
export interface CompareHooks extends SearchHooks {
  /** Told before each run; `number` is its place among all `total`, from 1. */
  readonly onRun?: (run: RunPlace) => void;
  /** Told of each run that could not be finished; the others go on. */
  readonly onFailure?: (failure: FailedRun & { readonly run: string }) => void;
}

const kind: SeriesKind<CompareRecord> = { what: 'a comparison', file: 'compare.json', schema: compareSchema };

/**
 * Compares systems on the same folds of a data set, with the same budget and seeds. Each is trained, segments the test cases from their files, and
 * its label maps are scored: by the same code for all. Writes `compare.json`, `compare.csv` and `compare.html`. What the folder holds of the
 * comparison is not run again, so that one that was stopped or killed goes on; a run that failed is recorded, and tried again the next time.
 *
 * @param systems the first is what the others are compared with
 * @throws UserError for what is wrong with the data set, the options or the folder; not for what a system can't do
 */
export async function compare(
  options: CompareOptions,
  systems: readonly System[],
  hooks: CompareHooks = {},
): Promise<CompareResults> {
  const dataSet = await readDataSet(options.dataSet, options.labelFolder);
  const planned = plannedRuns(options, systems, dataSet);
  const settings = settingsOf(options);
  const { record, isNew, made, release } = await openSeries(kind, options, settings, async (common, engine) => {
    return { ...common, settings, hardware: await hardwareOf(common.engine.device, engine), runs: {} };
  });
  try {
    if (isNew) await requireSound(dataSet, options, hooks);
    await runAll(options, { dataSet, planned, record }, hooks);
    return await conclude(options, { dataSet, systems, record });
  } finally {
    // The first error is the one to be told.
    await discardUnbegun(options.out, kind.file).catch(() => {});
    await release();
    await removeWhereEmpty(made);
  }
}

/** What all runs have in common. */
function settingsOf(options: CompareOptions): CompareRecord['settings'] {
  return compareSchema.shape.settings.parse(recordSettings(withDefaults({ ...options, fold: 0 })));
}

/** @throws UserError that lists the errors of a data set: every system would meet them, after as long a time */
async function requireSound(dataSet: DataSet, { folds }: CompareOptions, { onProgress }: SearchHooks): Promise<void> {
  const { problems } = await checkDataSet(dataSet, {
    folds,
    onCase: (done, total) => onProgress?.({ phase: 'prepare', step: 0, done, total }),
  });
  const errors = problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  if (errors.length > 0) throw allErrors(errors);
}

/** A comparison that goes. */
interface Going {
  readonly dataSet: DataSet;
  readonly planned: readonly PlannedSystemRun[];
  readonly record: CompareRecord;
}

/** Runs what has not finished, one after the other. */
function runAll(options: CompareOptions, { dataSet, planned, record }: Going, hooks: CompareHooks): Promise<void> {
  const note = async (name: string, outcome: CompareRecord['runs'][string]): Promise<void> => {
    record.runs[name] = outcome;
    await writeRecord(options.out, kind.file, record);
  };
  const series = {
    planned,
    isOpen: ({ name }: PlannedSystemRun) => record.runs[name]?.state !== 'finished',
    eachSeconds: options.timeSeconds ?? Number.NaN,
    earlier: 0,
    later: { runs: 0, seconds: 0 },
    onRun: hooks.onRun,
    run: async (next: PlannedSystemRun, ofRun: SearchHooks) => {
      try {
        await note(next.name, await runOne(options, { dataSet, record }, next, ofRun));
      } catch (error) {
        hooks.signal?.throwIfAborted();
        const failure = await failureOf(join(options.out, next.name), next, error);
        await note(next.name, failure);
        hooks.onFailure?.({ run: next.name, ...failure });
      }
    },
  };
  return runSeries(series, hooks);
}

function runOne(
  options: CompareOptions,
  { dataSet, record }: Omit<Going, 'planned'>,
  next: PlannedSystemRun,
  hooks: SearchHooks,
) {
  const { name } = next;
  const told = { ...systemOptions(options, next), ...record.engine };
  // What a kill or a failure has left of it is gone on with.
  const energy = {
    name,
    isBegun: name in record.joules,
    write: () => writeRecord(options.out, kind.file, record),
  };
  const train = () => withEnergy(record, energy, () => next.system.train(told, hooks));
  return runSystem(next, told, dataSet, hooks, train);
}

/** What is recorded of a run that was not finished. What is no fault of the user's is a defect, which must not end the other runs. */
async function failureOf(folder: string, { system, fold, seed }: PlannedSystemRun, error: unknown): Promise<FailedRun> {
  const message = error instanceof Error ? error.message : String(error);
  const is_defect = !(error instanceof UserError || isLoadError(error));
  if (is_defect) {
    const stack = error instanceof Error ? (error.stack ?? message) : message;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'failure.log'), `${new Date().toISOString()}\n${stack}\n`);
  }
  return { state: 'failed', system: system.name, fold, seed, message, is_defect };
}

/** Sums up, and writes the table and the page. */
async function conclude(
  options: CompareOptions,
  { dataSet, systems, record }: Pick<Going, 'dataSet' | 'record'> & { readonly systems: readonly System[] },
): Promise<CompareResults> {
  const { out, seeds } = options;
  const results = compareResults(record, { systems, folds: foldsOf(options), seeds, labelling: dataSet });
  if (results.reference === null) return results;
  const finished = { ...record, results };
  await writeRecord(out, kind.file, finished);
  await writeAtomically(join(out, 'compare.csv'), Buffer.from(comparisonCsv(record, results)));
  const example = await exampleOf(out, dataSet, record, results);
  await writeRunFile(out, 'compare.html', renderComparison(finished, results, example));
  return results;
}
