import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MacroArchitecture } from '../../architecture/architecture.ts';
import type { NetworkDimensions } from '../../architecture/dimensions.ts';
import { UserError } from '../../base/errors.ts';
import { removeWhereEmpty } from '../../base/files.ts';
import { inTurns, type RunPlace, runSeries } from '../../compare/series.ts';
import { discardUnbegun, openSeries, type SeriesKind, type SeriesOptions } from '../../compare/series-folder.ts';
import { defaultRecipe, differences, type Recipe } from '../../recipe/recipe.ts';
import { renderHeadroom } from '../../report/headroom-page.ts';
import { type HeadroomRecord, type HeadroomResults, headroomSchema } from '../../run/headroom-record.ts';
import { readRun } from '../../run/read-run.ts';
import { writeRecord, writeRunFile } from '../../run/run-folder.ts';
import { dimensionsOf } from '../../run/run-record.ts';
import { recordSettings, withDefaults } from '../../search/options.ts';
import type { SearchHooks } from '../../search/search.ts';
import { type Change, changes } from '../../space/changes.ts';
import { memoryShare, runJobAmong, type Sharing } from '../apart.ts';
import type { Job } from '../job.ts';
import { runName } from '../plan.ts';
import { headroomResults } from './results.ts';

/** What is tried on which data set, with how much time. */
export interface HeadroomOptions extends SeriesOptions, Pick<Sharing, 'sideBySide'> {
  readonly fold: number;
  /** Of the base, which the variants change; the default one where it is left out. */
  readonly recipe?: Recipe;
  /** Of the variants to try; all where it is left out. */
  readonly names?: readonly string[];
}

/** As a search is watched, but that the time left is that of all, and that `onStart` is told of the first run alone. */
export interface HeadroomHooks extends SearchHooks {
  /** Told before each run; `number` is its place among all `total`, from 1. */
  readonly onRun?: (run: RunPlace) => void;
}

/** A run, in the folder of this name. */
interface PlannedRun {
  readonly name: string;
  readonly variant: Variant;
  readonly seed: number;
}

/** The base network, or the same with one change. */
export type Variant = Omit<Change, 'gene'>;

/** What others are compared with. */
const base: Variant = { name: 'base', what: 'the base network' };

const kind: SeriesKind<HeadroomRecord> = {
  what: 'a study of the headroom',
  file: 'headroom.json',
  schema: headroomSchema,
};

/**
 * What could a search gain at all? Trains the base network, and the same with one change after the other of network or recipe, each alone for the
 * same time and with the same seeds. Writes `headroom.json` and `headroom.html`. What the folder holds of it is not run again, so that a study
 * that was stopped or killed goes on; a change that can't be made, or that memory does not suffice for, is recorded, and the others go on.
 *
 * @throws UserError for what is wrong with the data set, the options or the folder
 */
export async function headroom(options: HeadroomOptions, hooks: HeadroomHooks = {}): Promise<HeadroomResults> {
  const chosen = chosenVariants(options.names);
  const settings = settingsOf(options);
  const { record, made, release } = await openSeries(kind, options, settings, (common) => ({
    ...common,
    settings,
    problems: {},
  }));
  try {
    const bases = plannedRuns([base], options.seeds);
    const changed = plannedRuns(chosen, options.seeds);
    await runAll(options, record, { planned: bases, earlier: 0, later: changed.length }, hooks);
    const known = await baseNetwork(options.out, bases[0].name);
    await runAll(options, record, { planned: changed, earlier: bases.length, later: 0, known }, hooks);
    const results = await headroomResults(options, { base, others: chosen }, record.problems);
    const finished = { ...record, results };
    await writeRecord(options.out, kind.file, finished);
    await writeRunFile(options.out, 'headroom.html', renderHeadroom(finished, results));
    return results;
  } finally {
    // The first error is the one to be told.
    await discardUnbegun(options.out, kind.file).catch(() => {});
    await release();
    await removeWhereEmpty(made);
  }
}

function chosenVariants(names: HeadroomOptions['names']): readonly Variant[] {
  if (names === undefined) return changes;
  return names.map((name) => {
    const found = changes.find((change) => change.name === name);
    if (found) return found;
    throw new UserError(`There is no variant '${name}': take some of ${changes.map((one) => one.name).join(', ')}.`);
  });
}

function settingsOf({ sideBySide, ...options }: HeadroomOptions): HeadroomRecord['settings'] {
  const changed = differences(options.recipe ?? defaultRecipe, defaultRecipe);
  const recipe = changed.map(({ section, name, value }) => `${section}.${name} ${JSON.stringify(value)}`).join(', ');
  return headroomSchema.shape.settings.parse({
    ...recordSettings(withDefaults(options)),
    side_by_side: sideBySide,
    ...(recipe !== '' && { recipe }),
  });
}

/** Seed by seed; each round begins with another variant. */
const plannedRuns = (of: readonly Variant[], seeds: number): readonly PlannedRun[] =>
  inTurns(of, seeds).flatMap((round, at) =>
    round.map((variant) => ({ name: runName(variant.name, at + 1), variant, seed: at + 1 })),
  );

/** The base network of the scans. */
interface BaseNetwork {
  readonly child: MacroArchitecture;
  readonly dimensions: NetworkDimensions;
}

/** Runs to be done, how many come before and after them, and the base network, once it is known. */
interface Stage {
  readonly planned: readonly PlannedRun[];
  readonly earlier: number;
  readonly later: number;
  readonly known?: BaseNetwork;
}

function runAll(
  options: HeadroomOptions,
  record: HeadroomRecord,
  { planned, earlier, later, known }: Stage,
  hooks: HeadroomHooks,
): Promise<void> {
  const { out, sideBySide } = options;
  const eachSeconds = options.timeSeconds ?? Number.NaN;
  const series = {
    planned,
    isOpen: ({ name }: PlannedRun) => !existsSync(join(out, name, 'report.json')),
    eachSeconds,
    earlier,
    later: { runs: later, seconds: later * eachSeconds },
    atOnce: sideBySide,
    onRun: hooks.onRun,
    run: async (next: PlannedRun, ofRun: SearchHooks) => {
      const { variant } = next;
      try {
        const job = jobOf(options, record, next, known);
        await runJobAmong(options, job, ofRun);
        delete record.problems[variant.name];
      } catch (error) {
        if (!(error instanceof UserError) || variant === base) throw error;
        record.problems[variant.name] = error.message;
        await writeRecord(out, kind.file, record);
      }
    },
  };
  return runSeries(series, hooks);
}

/** @throws UserError where the base network can't be changed so */
function jobOf(
  given: HeadroomOptions,
  { engine }: HeadroomRecord,
  { name, variant, seed }: PlannedRun,
  known: BaseNetwork | undefined,
): Job {
  const { out, recipe = defaultRecipe, names: _, seeds: __, sideBySide: ___, ...shared } = given;
  const options = {
    ...shared,
    ...engine,
    ...memoryShare(given, engine.device),
    out: join(out, name),
    seed,
    augment: variant.augment ?? 'auto',
    recipe: variant.recipe?.(recipe) ?? recipe,
  };
  if (variant.network === undefined) {
    return { kind: 'search', options: { ...options, space: 'fixed', controller: 'random', children: 1 } };
  }
  const architecture = known && variant.network(known.child, known.dimensions);
  if (architecture) return { kind: 'training', architecture, options };
  throw new UserError(`The base network of these scans can't have ${variant.what}.`);
}

/** As the first run of it says. */
async function baseNetwork(out: string, name: string): Promise<BaseNetwork> {
  const { architecture, run } = await readRun(join(out, name));
  if (architecture?.kind === undefined && architecture?.space === 'macro')
    return { child: architecture, dimensions: dimensionsOf(run) };
  throw new UserError(`${join(out, name)} has no base network any more: delete it and type the command again.`);
}
