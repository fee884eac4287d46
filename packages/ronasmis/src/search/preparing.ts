import { dirname, join, resolve } from 'node:path';
import { describeEngine, type EngineDescription } from '@ronasmis/libtorch';
import { type ThickSlices, thickSlicesFor } from '../architecture/dimensions.ts';
import { UserError } from '../base/errors.ts';
import type { Triple } from '../base/geometry.ts';
import { VERSION } from '../base/version.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Region } from '../data/description.ts';
import type { Fingerprint } from '../data/fingerprint.ts';
import { type CaseSplit, splitCases, splitLabelled } from '../data/folds.ts';
import type { Normalisation } from '../data/normalisation.ts';
import type { Problem } from '../data/problem.ts';
import { shapeAt } from '../data/spacing.ts';
import { chooseDevice } from '../engine/device.ts';
import { choosePrecision } from '../engine/precision.ts';
import { type KeepableDataSet, prepareOnce } from '../preparation/kept-cases.ts';
import { spacingFor } from '../preparation/prepare.ts';
import { alone, type Team } from '../ranks/team.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { type RunRecord, recordDimensions } from '../run/run-record.ts';
import { requireFit } from './architecture-file.ts';
import { type RunContext, scoredClasses } from './context.ts';
import { recordStart, type Started } from './earlier-run.ts';
import { caseBytesWithin, defaultMemoryBytes, limitMemory, type MemoryPlan, planMemory } from './memory.ts';
import { type RunSettings, recordSettings } from './options.ts';
import { coarseDownsampling } from './resolution.ts';
import { cacheFolderOf } from './run.ts';
import type { SearchHooks } from './watching.ts';

/** What a run's data set and memory come to. */
export interface Prepared {
  /** As they were given, with what was planned. */
  readonly settings: RunSettings;
  readonly context: RunContext;
  readonly fingerprint: Fingerprint;
  /** That is trained at, millimetres `[depth, height, width]`. */
  readonly spacing: Triple;
  readonly regions: readonly Region[];
  readonly normalisations: readonly Normalisation[];
  readonly channelFiles: boolean;
  readonly engine: EngineDescription;
  readonly budgetBytes: number;
  readonly plan: MemoryPlan;
  /** What is odd about the data set, though usable. */
  readonly warnings: readonly string[];
  readonly thickSlices: ThickSlices;
  /** The same, but for what is done about thick slices. */
  withThickSlices(thickSlices: ThickSlices): Prepared;
  /** Keeps the cases for the next search beside this one. */
  keep(): Promise<void>;
}

/** Reads and prepares the data set of a run and finds what fits into its memory. @throws UserError for what the user can fix */
export async function prepare(
  given: RunSettings,
  folder: string,
  dataSet: DataSet,
  { onProgress }: SearchHooks,
): Promise<Prepared> {
  const { folds, fold } = given;
  const engine = describeEngine();
  const device = chooseDevice(given.device, engine);
  const { team = alone } = given;
  requireAlike(team, 'device', device);
  const precisions = team.gather(await choosePrecision(given.precision, device, engine));
  const precision = precisions[0];
  const budgetBytes = Math.min(...team.gather(given.memoryBytes ?? defaultMemoryBytes(device)));
  const names = dataSet.cases.map(({ name }) => name);
  // Before anything is read: folds that the cases do not suffice for.
  splitCases(names, { folds, fold });
  const prepareHere = () =>
    prepareOnce(dataSet, {
      folds,
      recipe: given.recipe.preparation,
      cacheFolder: cacheFolderOf(folder, team),
      keptFolder: join(dirname(resolve(folder)), '.prepared'),
      memoryLimitBytes: caseBytesWithin(budgetBytes, device),
      onCase: (done, total) => onProgress?.({ phase: 'prepare', step: 0, done, total }),
    });
  const { cases, fingerprint, normalisations, warnings, keep } = await prepareInTurn(team, prepareHere);
  const settings = { ...given, ...given.plan?.({ dataSet, cases }) };
  const { space, architecture } = settings;
  const recipe = sharedBy(team, settings.recipe);
  const empty = new Set(cases.filter(({ labelled }) => labelled.length === 0).map(({ name }) => name));
  const split = trainedOn(splitLabelled(names, { folds, fold, empty }), recipe.training);
  const hasIgnored = dataSet.ignoredValue !== undefined;
  const spacing = spacingFor(fingerprint, recipe.preparation);
  const volume = shapeAt({ shape: fingerprint.commonShape, spacing: fingerprint.commonSpacing }, spacing);
  const counts = { inputChannels: dataSet.channels.length, classes: dataSet.labels.length };
  if (architecture) requireFit(architecture, cases);
  const demands = { space, volume, device, precision, recipe, ...counts, hasIgnored, cases, split };

  function withThickSlices(thickSlices: ThickSlices): Prepared {
    const plan = planMemory(budgetBytes, { ...demands, ...thickSlices, ...(architecture && { architecture }) });
    limitMemory(budgetBytes, device, plan);
    const downsampling = coarseDownsampling(plan.base.patch, plan.dimensions, recipe.search);
    const context: RunContext = {
      team,
      device,
      precision,
      recipe,
      dimensions: plan.dimensions,
      cases,
      split,
      ...(settings.isTestedElsewhere && { isTestedElsewhere: true }),
      labelValues: dataSet.labels.map(({ value }) => value),
      scored: scoredClasses(dataSet),
      ignoredValue: dataSet.ignoredValue,
      batchVoxels: plan.batchVoxels,
      ...(downsampling && { downsampling }),
    };
    return {
      settings,
      context,
      fingerprint,
      spacing,
      regions: dataSet.regions,
      normalisations,
      channelFiles: dataSet.channelFiles,
      engine,
      budgetBytes,
      plan,
      warnings: [...plan.concessions, ...warnings.map(sentenceOf)],
      thickSlices,
      withThickSlices,
      keep,
    };
  }
  return withThickSlices(settings.thickSlices ?? thickSlicesFor(spacing, recipe.network));
}

/** A recipe whose steps have a mini-batch for each rank, unless it says how many they have: a run that is resumed by others goes on with as many. */
function sharedBy({ size }: Team, recipe: Recipe): Recipe {
  if (size === 1 || recipe.training.mini_batches !== null) return recipe;
  return { ...recipe, training: { ...recipe.training, mini_batches: size } };
}

/** The first rank prepares what the others then find prepared, where they see its files; all must have the same. @throws UserError where they have not */
async function prepareInTurn(team: Team, prepareHere: () => Promise<KeepableDataSet>): Promise<KeepableDataSet> {
  if (team.size === 1) return prepareHere();
  const first = team.isFirst ? await kept(await prepareHere()) : undefined;
  // Here the others wait for the first.
  requireAlike(team, 'version of RONASMIS', VERSION);
  const prepared = first ?? (await prepareHere());
  requireAlike(team, 'data set', prepared.fingerprint.sha256);
  return prepared;
}

/** For the other ranks, while this one goes on. */
async function kept(prepared: KeepableDataSet): Promise<KeepableDataSet> {
  await prepared.keep();
  return { ...prepared, keep: async () => {} };
}

/** @throws UserError on every rank where one differs from the first */
function requireAlike(team: Team, what: string, own: string): void {
  const all = team.gather(own);
  const other = all.findIndex((value) => value !== all[0]);
  if (other < 0) return;
  throw new UserError(
    `Rank ${other} has another ${what} than rank 0 (${all[other]}, ${all[0]}): give all of them the same, and start again.`,
  );
}

/** How the cases are used: where the recipe says so, those for validation are trained on too, and nothing is evaluated before the end. */
function trainedOn(split: CaseSplit, { all_cases }: Recipe['training']): CaseSplit {
  return all_cases ? { ...split, training: [...split.training, ...split.validation].sort(), validation: [] } : split;
}

const sentenceOf = ({ message, cases }: Problem): string =>
  cases === undefined ? message : `${message} ('ronasmis inspect' lists all.)`;

/** The commonest silent failure of a libtorch outside Python: a GPU is there and is not used. */
export function engineWarnings({ device }: RunContext, { cuda }: EngineDescription): readonly string[] {
  if (device !== 'cpu' || !cuda.driver || cuda.loaded) return [];
  return [
    `This machine has an NVIDIA driver, but the GPU cannot be used (${cuda.reason ?? 'unknown reason'}): run 'ronasmis doctor'.`,
  ];
}

/** `run.json` of a new run, and of what it has started from. */
export function runRecord(
  {
    settings,
    context,
    fingerprint,
    spacing,
    regions,
    normalisations,
    channelFiles,
    engine,
    budgetBytes,
    thickSlices: { flatLevels, unpooledLevels },
  }: Prepared,
  augmentation: NonNullable<RunRecord['augmentation']>,
  started?: Started,
): RunRecord {
  const { dimensions, device, precision } = context;
  const { from, taken_over } = started ? recordStart(started) : {};
  return {
    version: VERSION,
    created: new Date().toISOString(),
    settings: { ...recordSettings({ ...settings, memoryBytes: budgetBytes }), ...(from && { from }) },
    engine: { libtorch: engine.version, device, precision, threads: engine.cpu.threads, cpu: engine.cpu.name },
    recipe: context.recipe,
    augmentation,
    network: {
      ...recordDimensions(dimensions),
      ...(unpooledLevels !== flatLevels && { unpooled_levels: unpooledLevels }),
    },
    labels: fingerprint.labels,
    regions,
    normalisation: normalisations,
    channel_files: channelFiles,
    orientation: fingerprint.orientation,
    spacing,
    fingerprint: { ...fingerprint },
    ...(taken_over && { taken_over }),
  };
}
