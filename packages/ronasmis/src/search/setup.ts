import { rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describeEngine, type EngineDescription } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { flatLevelsFor } from '../architecture/dimensions.ts';
import { UserError } from '../base/errors.ts';
import { removeWhereEmpty } from '../base/files.ts';
import { VERSION } from '../base/version.ts';
import { type DataSet, readDataSet } from '../data/dataset.ts';
import type { Region } from '../data/description.ts';
import type { Fingerprint } from '../data/fingerprint.ts';
import { splitCases, splitLabelled } from '../data/folds.ts';
import type { Normalisation } from '../data/normalisation.ts';
import { requireApart } from '../data/outputs.ts';
import type { Problem } from '../data/problems.ts';
import { chooseDevice } from '../engine/device.ts';
import { choosePrecision } from '../engine/precision.ts';
import { prepareOnce } from '../preparation/kept-cases.ts';
import { defaultRecipe } from '../recipe/recipe.ts';
import { lockFolder } from '../run/lock.ts';
import { readRun } from '../run/read-run.ts';
import { createRunFolder, keepEventsUntil, requireNew, writeRecord } from '../run/run-folder.ts';
import { type RunRecord, recordDimensions } from '../run/run-record.ts';
import { hasOneChild } from '../space/spaces.ts';
import { type Budget, expectedTrainingSteps, outlookOf, requireOneStep } from './budget.ts';
import { type SearchContext, scoredClasses } from './context.ts';
import { measureBudget } from './measuring.ts';
import { caseBytesWithin, defaultMemoryBytes, limitMemory, type MemoryPlan, planMemory } from './memory.ts';
import { type OwnParts, recordedSettings, recordSettings, type SearchSettings } from './options.ts';
import { coarseThinning } from './resolution.ts';
import type { SearchHooks, SearchResult } from './search.ts';
import { createState, restoreState, type SearchState } from './state.ts';

/** A search that is ready to run. */
export interface SearchRun {
  readonly context: SearchContext;
  readonly state: SearchState;
  readonly budget: Budget;
  readonly folder: string;
  readonly plan: MemoryPlan;
  /** What the last finished step judged, in another process; none in a new search. */
  readonly lastChildren: readonly Architecture[];
  /** Lets other processes into the run folder; to be called at the end, whatever it is. */
  readonly release: () => Promise<void>;
}

/**
 * Checks everything that can be wrong, prepares the data and the first state, and writes `run.json`.
 * @throws UserError for what the user can mend
 */
export async function openSearch(options: SearchSettings, hooks: SearchHooks): Promise<SearchRun> {
  const dataSet = await readDataSet(options.dataSet, options.labelFolder);
  await requireApart(options.out, dataSet);
  const made = await createRunFolder(options.out);
  const release = await lockFolder(options.out);
  try {
    await requireNew(options.out);
    return { ...(await openNewSearch(options, dataSet, hooks)), release };
  } catch (error) {
    await release();
    // No run can go on from here; where this fails too, the first error is the one to be told.
    await rm(cacheFolderOf(options.out), { recursive: true, force: true }).catch(() => {});
    await removeWhereEmpty(made);
    throw error;
  }
}

async function openNewSearch(
  options: SearchSettings,
  dataSet: DataSet,
  hooks: SearchHooks,
): Promise<Omit<SearchRun, 'release'>> {
  const startedAt = performance.now();
  const prepared = await prepare(options, options.out, dataSet, hooks);
  const { context, engine, budgetBytes, plan, warnings } = prepared;
  const state = createState(context, options.controller, options.seed);
  const budget = await measureBudget(context, state, options, startedAt);
  requireOneStep(budget);
  state.controller.begin(outlookOf(budget, 0));
  const record = runRecord({ ...options, memoryBytes: budgetBytes }, prepared);
  await writeRecord(options.out, 'run.json', record);
  await prepared.keep();
  hooks.onStart?.({
    engine: record.engine,
    memory: memoryUse(budgetBytes, plan),
    warnings: [...engineWarnings(context, engine), ...overfitWarnings(context, budget), ...warnings],
  });
  return { context, state, budget, folder: options.out, plan, lastChildren: [] };
}

/**
 * So many passes over the training cases do no harm without augmentation: of a public data set, 40 gave the same test Dice with it
 * and without, 120 half a point less without it and a quarter more with it (docs/search.md).
 */
const harmlessPasses = 60;

function overfitWarnings(context: SearchContext, budget: Budget): readonly string[] {
  const passes = Math.round(expectedTrainingSteps(budget) / context.split.training.length);
  if (context.augment || passes <= harmlessPasses) return [];
  return [
    `The training cases are passed over about ${passes} times, which over-fits: --augment is better from here on.`,
  ];
}

/** What a search has left; undefined where it has not finished. @throws UserError where the folder holds no run */
export async function resultOf(folder: string): Promise<SearchResult | undefined> {
  const { report, architecture } = await readRun(folder);
  return report && architecture ? { report, architecture } : undefined;
}

/**
 * Takes a run up where its last finished step left it, with the settings of its `run.json`.
 * @throws UserError where the folder holds no run, another process works on it or the data set is another one now
 */
export async function reopenSearch(folder: string, hooks: SearchHooks, own: OwnParts): Promise<SearchRun> {
  const release = await lockFolder(folder);
  try {
    return { ...(await reopenLocked(folder, hooks, own)), release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function reopenLocked(folder: string, hooks: SearchHooks, own: OwnParts): Promise<Omit<SearchRun, 'release'>> {
  const startedAt = performance.now();
  const { run, events } = await readRun(folder);
  const options = recordedSettings(run, folder, own);
  const dataSet = await readDataSet(options.dataSet, options.labelFolder);
  const { context, fingerprint, engine, budgetBytes, plan } = await prepare(options, folder, dataSet, hooks);
  if (fingerprint.sha256 !== run.fingerprint.sha256) {
    throw new UserError(
      `${options.dataSet} has changed since ${folder} was begun: undo the change, or search again into a new folder.`,
    );
  }
  if (run.spacing === undefined && fingerprint.resampled > 0) {
    throw new UserError(
      `${folder} was begun by a version that left every scan at its own spacing: search again into a new folder.`,
    );
  }
  const state = createState(context, options.controller, options.seed);
  await restoreState(folder, state);
  await keepEventsUntil(folder, state.step);
  const budget = await measureBudget(context, state, options, startedAt);
  if (state.step === 0) state.controller.begin(outlookOf(budget, 0));
  hooks.onStart?.({
    engine: run.engine,
    memory: memoryUse(budgetBytes, plan),
    warnings: engineWarnings(context, engine),
  });
  const lastChildren = events.find(({ step }) => step === state.step)?.children ?? [];
  return { context, state, budget, folder, plan, lastChildren: lastChildren.map(({ architecture }) => architecture) };
}

/** Bytes that a search may take, and that its most demanding children are expected to. */
export interface MemoryUse {
  readonly budgetBytes: number;
  readonly expectedBytes: number;
}

function memoryUse(budgetBytes: number, { space, bytesFor }: MemoryPlan): MemoryUse {
  return { budgetBytes, expectedBytes: bytesFor(space.largest) };
}

interface Prepared {
  readonly context: SearchContext;
  readonly fingerprint: Fingerprint;
  readonly regions: readonly Region[];
  readonly normalisations: readonly Normalisation[];
  readonly channelFiles: boolean;
  readonly engine: EngineDescription;
  readonly budgetBytes: number;
  readonly plan: MemoryPlan;
  /** What is odd about the data set, though usable. */
  readonly warnings: readonly string[];
  /** Keeps the cases for the next search beside this one. */
  keep(): Promise<void>;
}

async function prepare(
  options: SearchSettings,
  folder: string,
  dataSet: DataSet,
  { onProgress }: SearchHooks,
): Promise<Prepared> {
  const { folds, fold } = options;
  const engine = describeEngine();
  const device = chooseDevice(options.device, engine);
  const precision = await choosePrecision(options.precision, device, engine);
  const budgetBytes = options.memoryBytes ?? defaultMemoryBytes(device);
  const names = dataSet.cases.map(({ name }) => name);
  // Before anything is read: folds that the cases do not suffice for.
  splitCases(names, { folds, fold });
  const { cases, fingerprint, normalisations, warnings, keep } = await prepareOnce(dataSet, {
    folds,
    cacheFolder: cacheFolderOf(folder),
    keptFolder: join(dirname(resolve(folder)), '.prepared'),
    memoryLimitBytes: caseBytesWithin(budgetBytes, device),
    onCase: (done, total) => onProgress?.({ phase: 'prepare', step: 0, done, total }),
  });
  const empty = new Set(cases.filter(({ labelled }) => labelled.length === 0).map(({ name }) => name));
  const split = splitLabelled(names, { folds, fold, empty });
  const hasIgnored = dataSet.ignoredValue !== undefined;
  const flatLevels = flatLevelsFor(fingerprint.commonSpacing);
  const counts = { inputChannels: dataSet.channels.length, classes: dataSet.labels.length, flatLevels };
  const inputs = { ...counts, hasIgnored, cases, split };
  const { space, onlyChild } = options;
  const demands = { space, volume: fingerprint.commonShape, device, precision, ...inputs };
  const plan = planMemory(budgetBytes, { ...demands, ...(onlyChild && { onlyChild }) });
  limitMemory(budgetBytes, device, plan);
  const thinning = coarseThinning(plan.space.base.patch, plan.dimensions);
  const context: SearchContext = {
    device,
    precision,
    dimensions: plan.dimensions,
    space: plan.space,
    cases,
    split,
    augment: options.augment,
    labelValues: dataSet.labels.map(({ value }) => value),
    scored: scoredClasses(dataSet),
    ignoredValue: dataSet.ignoredValue,
    children: hasOneChild(plan.space) ? 1 : Math.max(options.children, options.lastChildren ?? 0),
    ...(thinning && { thinning }),
  };
  return {
    context,
    fingerprint,
    regions: dataSet.regions,
    normalisations,
    channelFiles: dataSet.channelFiles,
    engine,
    budgetBytes,
    plan,
    warnings: [...plan.concessions, ...warnings.map(sentenceOf)],
    keep,
  };
}

const sentenceOf = ({ message, cases }: Problem): string =>
  cases === undefined ? message : `${message} ('ronasmis inspect' lists all.)`;

/** Where a run folder has the prepared cases that do not fit into memory, while it is searched; nothing else has such a name. */
export const cacheFolderOf = (runFolder: string): string => join(runFolder, '.cases');

/** The commonest silent failure of a libtorch outside Python: a GPU is there and is not used. */
function engineWarnings({ device }: SearchContext, { cuda }: EngineDescription): readonly string[] {
  if (device !== 'cpu' || !cuda.driver || cuda.loaded) return [];
  return [
    `This machine has an NVIDIA driver, but the GPU cannot be used (${cuda.reason ?? 'unknown reason'}): run 'ronasmis doctor'.`,
  ];
}

function runRecord(
  settings: SearchSettings,
  { context, fingerprint, regions, normalisations, channelFiles, engine }: Prepared,
): RunRecord {
  const { dimensions, device, precision } = context;
  return {
    version: VERSION,
    created: new Date().toISOString(),
    settings: recordSettings(settings),
    engine: { libtorch: engine.version, device, precision, threads: engine.cpu.threads, cpu: engine.cpu.name },
    recipe: defaultRecipe,
    network: recordDimensions(dimensions),
    labels: fingerprint.labels,
    regions,
    normalisation: normalisations,
    channel_files: channelFiles,
    orientation: fingerprint.orientation,
    spacing: fingerprint.commonSpacing,
    fingerprint: { ...fingerprint },
  };
}
