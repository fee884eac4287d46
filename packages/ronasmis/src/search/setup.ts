import { rm } from 'node:fs/promises';
import type { Architecture } from '../architecture/architecture.ts';
import { UserError } from '../base/errors.ts';
import { removeWhereEmpty } from '../base/files.ts';
import type { Outlook } from '../controller/controller.ts';
import { type DataSet, readDataSet } from '../data/dataset.ts';
import { requireApart } from '../data/outputs.ts';
import type { Network } from '../network/network.ts';
import { networkOf } from '../network/of-architecture.ts';
import { alone } from '../ranks/team.ts';
import { restingNote } from '../report/run-words.ts';
import { reportWarnings } from '../report/template.ts';
import type { SearchEvent } from '../run/event.ts';
import { lockFolder } from '../run/lock.ts';
import { type RunFiles, readRun } from '../run/read-run.ts';
import { createRunFolder, keepEventsUntil, requireNew, writeRecord } from '../run/run-folder.ts';
import { howToGoOn, kindOf, type RunRecord } from '../run/run-record.ts';
import { hasOneChild } from '../space/spaces.ts';
import { type Augmenting, augmentsFromStart, followCurve } from './augmenting.ts';
import { type Clock, expectedTrainingSteps, outlookOf, requireOneStep } from './clock.ts';
import type { RunContext, SearchContext } from './context.ts';
import { type EarlierRun, readEarlierRun, readEarlierRunAgain, startFrom, startWarnings } from './earlier-run.ts';
import { mayJoin } from './joining.ts';
import { openClock } from './measuring.ts';
import type { MemoryPlan } from './memory.ts';
import {
  type OwnParts,
  type PlanNetwork,
  type RunSettings,
  recordedSettings,
  type TrainingOptions,
  trainingSettings,
} from './options.ts';
import { engineWarnings, type Prepared, prepare, runRecord } from './preparing.ts';
import { isRaceDue, raceKernels } from './racing.ts';
import { cacheFolderOf, type OpenedRun, type OpenedSearch, type OpenedTraining } from './run.ts';
import {
  copyFirst,
  createSearchState,
  createTrainingState,
  restoreState,
  type SearchState,
  saveState,
  type TrainingState,
} from './state.ts';
import type { MemoryUse, SearchHooks, SearchResult } from './watching.ts';

/** What a run works with and its state before the first step, by what the data set and the memory come to. */
type Begin<Begun> = (prepared: Prepared) => Begun;

interface BegunSearch {
  readonly context: SearchContext;
  readonly state: SearchState;
  readonly architecture?: undefined;
}

interface BegunTraining {
  readonly context: RunContext;
  readonly state: TrainingState;
  readonly architecture: Architecture;
}

const beginSearch: Begin<BegunSearch> = ({ context: shared, plan, settings }) => {
  const { controller, seed, children, lastChildren = 0 } = settings;
  const { space } = plan;
  if (space === undefined) throw new Error('A search needs a space.');
  const context = { ...shared, space, children: hasOneChild(space) ? 1 : Math.max(children, lastChildren) };
  return { context, state: createSearchState(context, controller, seed) };
};

const beginTraining: Begin<BegunTraining> = ({ context, settings: { architecture, seed } }) => {
  if (architecture === undefined) throw new Error('A training needs a network.');
  return { context, state: createTrainingState(context, architecture, seed), architecture };
};

/**
 * Checks everything that can be wrong with a search, prepares the data and the first state, and writes `run.json`.
 * @throws UserError for what the user can fix
 */
export function openSearch(settings: RunSettings, hooks: SearchHooks): Promise<OpenedSearch> {
  return openNew(settings, hooks, beginSearch);
}

/** The same of the training of one network, or of one that is planned once the scans are known. */
export function openTraining(
  trained: Architecture | PlanNetwork,
  options: TrainingOptions,
  hooks: SearchHooks,
): Promise<OpenedTraining> {
  return openNew(trainingSettings(trained, options), hooks, beginTraining);
}

/**
 * Takes a run up where its last finished step left it, with the settings of its `run.json`.
 * @param own the controller and the space that the run was given, where they are not ours
 * @throws UserError where the folder holds no run, another process works on it or the data set is another one now
 */
export async function reopenRun(
  folder: string,
  hooks: SearchHooks,
  { team = alone, ...own }: OwnParts & Pick<RunSettings, 'team'>,
): Promise<OpenedRun> {
  const release = team.isFirst ? await lockFolder(folder) : nothing;
  try {
    const files = await readRun(folder);
    if (files.run.settings.own_program) {
      throw new UserError(
        `${folder} is trained by ${files.run.settings.system}, a system of a comparison: go on by ${howToGoOn(files.run, folder)}.`,
      );
    }
    const settings = { ...recordedSettings(files.run, folder, own), team };
    const opened =
      settings.architecture === undefined
        ? await reopenLocked(files, settings, hooks, beginSearch)
        : await reopenLocked(files, settings, hooks, beginTraining);
    return { ...opened, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function openNew<Begun extends BegunSearch | BegunTraining>(
  settings: RunSettings,
  hooks: SearchHooks,
  begin: Begin<Begun>,
) {
  const dataSet = await readDataSet(settings.dataSet, settings.labelFolder);
  const { from, out, team = alone } = settings;
  const earlier = from === undefined ? undefined : await readEarlierRun(from, out);
  await requireApart(out, dataSet);
  const { release, discard } = team.isFirst ? await newFolder(out) : { release: nothing, discard: nothing };
  try {
    return { ...(await openLocked(settings, dataSet, hooks, begin, earlier)), release };
  } catch (error) {
    // No run can go on from here; where this fails too, the first error is the one to be told.
    await rm(cacheFolderOf(out, team), { recursive: true, force: true }).catch(() => {});
    await discard();
    throw error;
  }
}

const nothing = async (): Promise<void> => {};

/** Makes and locks the folder of a new run; `discard` undoes it. @throws UserError where it can't be made, or holds a run */
async function newFolder(folder: string) {
  const made = await createRunFolder(folder);
  const release = await lockFolder(folder);
  const discard = async (): Promise<void> => {
    await release();
    await removeWhereEmpty(made);
  };
  try {
    await requireNew(folder);
    return { release, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

async function openLocked<Begun extends BegunSearch | BegunTraining>(
  settings: RunSettings,
  dataSet: DataSet,
  hooks: SearchHooks,
  begin: Begin<Begun>,
  earlier: EarlierRun | undefined,
) {
  const startedAt = performance.now();
  const ready = await prepare(settings, settings.out, dataSet, hooks);
  const { prepared, begun, race } =
    earlier === undefined && isRaceDue(ready)
      ? await raceKernels(ready, begin, hooks)
      : { prepared: ready, begun: begin(ready), race: undefined };
  const { engine, budgetBytes, plan, warnings } = prepared;
  const { context, state } = begun;
  const started = earlier && startFrom(state.trainer, networksOf(begun), dataSet, earlier);
  const { team } = context;
  const start = copyFirst(state, { step: 0, seconds: settings.earlierSeconds ?? 0 }, team);
  const clock = await clockOf(begun, plan, settings, { startedAt, ...start });
  requireOneStep(clock);
  const outlook = outlookOf(clock);
  state.controller?.begin(outlook);
  const exploring = exploringOf(begun, outlook);
  const passes = expectedTrainingSteps(clock) / context.split.training.length;
  const isOn = augmentsFromStart(settings.augment, passes, context.recipe.augmentation);
  const augmentation = { from_start: isOn, expected_passes: Math.round(passes) };
  const told = [
    ...engineWarnings(context, engine),
    ...(started ? startWarnings(started) : []),
    ...overfitWarnings(settings, context, passes),
    ...warnings,
    ...(await reportWarnings()),
  ];
  const record = {
    ...runRecord(prepared, augmentation, started),
    ...(race && { race }),
    ...(exploring && { exploring }),
    ...(told.length > 0 && { warnings: told }),
  };
  if (team.isFirst) {
    await writeRecord(settings.out, 'run.json', record);
    // What the race has trained goes on, should it be stopped before the first step has ended.
    if (race) await saveState(settings.out, state, { step: 0, seconds: clock.elapsed() });
  }
  await prepared.keep();
  hooks.onStart?.({
    isSearch: kindOf(record.settings) !== 'training',
    engine: record.engine,
    memory: memoryUse(budgetBytes, plan),
    note: restingNote(record),
    warnings: told,
  });
  const augmenting = { when: settings.augment, curve: [], isOn };
  return { ...begun, clock, augmenting, folder: settings.out, plan, lastChildren: [] };
}

async function reopenLocked<Begun extends BegunSearch | BegunTraining>(
  { folder, run, events }: RunFiles,
  settings: RunSettings,
  hooks: SearchHooks,
  begin: Begin<Begun>,
) {
  const startedAt = performance.now();
  const dataSet = await readDataSet(settings.dataSet, settings.labelFolder);
  const prepared = await prepare(settings, folder, dataSet, hooks);
  const { fingerprint, engine, budgetBytes, plan } = prepared;
  if (fingerprint.sha256 !== run.fingerprint.sha256) {
    throw new UserError(
      `${settings.dataSet} has changed since ${folder} was begun: undo the change, or search again into a new folder.`,
    );
  }
  if (run.spacing === undefined && fingerprint.resampled > 0) {
    throw new UserError(
      `${folder} was begun by a version that left every scan at its own spacing: search again into a new folder.`,
    );
  }
  const begun = begin(prepared);
  const { context, state } = begun;
  const moment = await restoreState(folder, state, context.team);
  const { from } = run.settings;
  const isUntrained = state.trainer.steps === 0;
  if (from && isUntrained) {
    startFrom(state.trainer, networksOf(begun), dataSet, await readEarlierRunAgain(from, folder));
  }
  if (context.team.isFirst) await keepEventsUntil(folder, moment.step);
  const seconds = Math.max(moment.seconds, settings.earlierSeconds ?? 0);
  const clock = await clockOf(begun, plan, settings, { startedAt, ...moment, seconds });
  if (isUntrained) state.controller?.begin(outlookOf(clock));
  hooks.onStart?.({
    isSearch: kindOf(run.settings) !== 'training',
    engine: run.engine,
    memory: memoryUse(budgetBytes, plan),
    warnings: engineWarnings(context, engine),
  });
  const lastChildren = events.find(({ step }) => step === clock.step)?.children ?? [];
  const augmenting = augmentingAgain(
    run,
    events.filter(({ step }) => step <= clock.step),
  );
  return { ...begun, clock, augmenting, folder, plan, lastChildren };
}

/** Whether its controller chooses anything; undefined where that is no question. */
function exploringOf({ state, context, architecture }: BegunSearch | BegunTraining, { expectedSteps }: Outlook) {
  const explores = state.controller?.explores?.();
  if (explores === undefined || architecture !== undefined || hasOneChild(context.space)) return undefined;
  return { explores, expected_steps: Math.round(expectedSteps) };
}

/** The networks whose weights a run trains. */
function networksOf({ context, architecture }: BegunSearch | BegunTraining): readonly Network[] {
  const architectures = architecture === undefined ? context.space.covering : [architecture];
  return architectures.map((child) => networkOf(child, context.dimensions));
}

function clockOf(
  { context, state }: BegunSearch | BegunTraining,
  { largest, base }: MemoryPlan,
  settings: RunSettings,
  start: Parameters<typeof openClock>[3],
): Promise<Clock> {
  const isSearch = 'children' in context;
  const children = isSearch ? context.children : 1;
  const hasReference = isSearch && !hasOneChild(context.space);
  const joins = isSearch && mayJoin(context);
  const measured = { largest, base, children, hasReference, joins };
  return openClock({ context, trainer: state.trainer }, measured, settings, start);
}

/** As it was when the last of these steps had ended. */
function augmentingAgain({ settings, augmentation, recipe }: RunRecord, events: readonly SearchEvent[]): Augmenting {
  const when = settings.augment;
  const augmenting: Augmenting = { when, curve: [], isOn: augmentation?.from_start ?? when === 'on' };
  for (const event of events) followCurve(augmenting, event, recipe.augmentation);
  return augmenting;
}

function overfitWarnings({ augment, system }: RunSettings, { recipe }: RunContext, passes: number): readonly string[] {
  const isByChoice = augment === 'off' && system === undefined;
  if (!isByChoice || !augmentsFromStart('auto', passes, recipe.augmentation)) return [];
  return [
    `The training cases are passed over about ${Math.round(passes)} times, which over-fits without augmentation: leave --augment to the search.`,
  ];
}

/** What a search has left; undefined where it has not finished. @throws UserError where the folder holds no run */
export async function resultOf(folder: string): Promise<SearchResult | undefined> {
  const { report, architecture } = await readRun(folder);
  return report && architecture ? { report, architecture } : undefined;
}

function memoryUse(budgetBytes: number, { largest, bytesFor }: MemoryPlan): MemoryUse {
  return { budgetBytes, expectedBytes: bytesFor(largest) };
}
