import { resolve } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import type { ThickSlices } from '../architecture/dimensions.ts';
import { UserError } from '../base/errors.ts';
import type { CreateController } from '../controller/controller.ts';
import { type ControllerName, controllerCalled } from '../controller/controllers.ts';
import type { DataSet } from '../data/dataset.ts';
import type { ComputeDevice, Precision } from '../engine/device.ts';
import type { PreparedCase } from '../preparation/prepare.ts';
import type { Team } from '../ranks/team.ts';
import type { AugmentMode } from '../recipe/augment-mode.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import { type RunRecord, thickSlicesOf } from '../run/run-record.ts';
import { type SpaceName, spaceCalled } from '../space/names.ts';
import type { CreateSpace } from '../space/spaces.ts';
import { searchDefaults } from './defaults.ts';

/** What a search is told. */
export interface SearchSettings {
  /** Folder in the layout of the Medical Segmentation Decathlon or of nnU-Net v2. */
  readonly dataSet: string;
  /** Folder of label maps; then `dataSet` is a folder of images alone. */
  readonly labelFolder?: string;
  /** Run folder to make. */
  readonly out: string;
  /** Seconds from the start to the report. With `epochs` too, what comes first ends the search. */
  readonly timeSeconds?: number;
  /** Controller steps. */
  readonly epochs?: number;
  /** Children evaluated at each controller step. */
  readonly children: number;
  /** Bytes of the process, or of a GPU's memory, that the search may take; 80 % of what is free where it is left out. */
  readonly memoryBytes?: number;
  /** One of ours by its name, or a function that makes one. */
  readonly controller: ControllerName | CreateController;
  /** One of ours by its name, or a function that makes one. */
  readonly space: SpaceName | CreateSpace;
  /** When training patches are rotated, scaled and changed in their intensities, besides the paper's flip. */
  readonly augment: AugmentMode;
  readonly folds: number;
  /** The part, from 0, that is the test set. */
  readonly fold: number;
  readonly device: 'auto' | ComputeDevice;
  readonly precision: 'auto' | Precision;
  readonly seed: number;
  /** Run folder of a finished run, of this data set or another, whose weights this one starts from. */
  readonly from?: string;
  /** Every constant that a run goes by. */
  readonly recipe: Recipe;
  /** What trains, of what can be compared, where it is not plain RONASMIS: `run.json` says it. */
  readonly system?: string;
}

/** What a network is planned for: a data set, and its cases as they are prepared. */
export interface PlannedFor {
  readonly dataSet: DataSet;
  readonly cases: readonly PreparedCase[];
}

/** What is trained, and by which constants. */
export interface Planned {
  readonly architecture: Architecture;
  readonly recipe: Recipe;
}

/** Plans a network once the scans are known. How these are prepared is not among the constants that it decides. */
export type PlanNetwork = (known: PlannedFor) => Planned;

/** What a run is told: a search as its users know it, one of a study, or the training of one network. */
export interface RunSettings extends SearchSettings {
  /** Children evaluated at the last controller step, where a study wants more to compare. */
  readonly lastChildren?: number;
  /** The one network that is trained, where nothing is searched. */
  readonly architecture?: Architecture;
  /** Plans that network, and what it is trained by. */
  readonly plan?: PlanNetwork;
  /** What its networks do about thick slices, where a run that goes on has found it at its beginning. */
  readonly thickSlices?: ThickSlices;
  /** Seconds that were spent before the run, on what it trains: they count to its time. */
  readonly earlierSeconds?: number;
  /** Whether it segments no test case itself, for a comparison does so once its time is over; else it does within its time. */
  readonly isTestedElsewhere?: boolean;
  /** The processes that share the run; this one alone where it is left out. */
  readonly team?: Team;
}

/** The same from outside: everything but the data set and the run folder has a default. */
export type SearchOptions = Pick<SearchSettings, 'dataSet' | 'out'> &
  Partial<SearchSettings> &
  Pick<RunSettings, 'isTestedElsewhere' | 'team'>;

/** The same of the training of one network, where there is nothing to choose. */
export type TrainingOptions = Omit<SearchOptions, 'children' | 'controller' | 'space'> &
  Pick<RunSettings, 'earlierSeconds'>;

/** The settings of the training of one network. A controller has nothing to do in it; `run.json` has one for every run. */
export function trainingSettings(trained: Architecture | PlanNetwork, options: TrainingOptions): RunSettings {
  const isPlanned = typeof trained === 'function';
  const space = isPlanned || trained.kind !== undefined ? 'fixed' : trained.space;
  const nothingToChoose = { children: 1, controller: 'random', space } as const;
  const settings = withDefaults({ ...options, ...nothingToChoose });
  return { ...settings, ...(isPlanned ? { plan: trained } : { architecture: trained }) };
}

/** Options with what was left out. @throws UserError for a controller or a space that `run.json` can't name */
export function withDefaults(options: SearchOptions & Pick<RunSettings, 'lastChildren'>): RunSettings {
  const isUnlimited = options.timeSeconds === undefined && options.epochs === undefined;
  const { recipe = defaultRecipe } = options;
  const { children, epochs } = recipe.search;
  const settings = { ...searchDefaults, recipe, children, ...(isUnlimited && { epochs }), ...options };
  recordedParts(settings);
  return settings;
}

type CalledAlike = Pick<SearchSettings, 'children' | 'augment' | 'folds' | 'fold' | 'seed'>;

/** The settings that `run.json` calls as the library does. */
function calledAlike({ children, augment, folds, fold, seed }: CalledAlike): CalledAlike {
  return { children, augment, folds, fold, seed };
}

/** A controller and a space that are not ours, which no `run.json` can hold. */
export type OwnParts = {
  readonly controller?: CreateController;
  readonly space?: CreateSpace;
};

/** What `run.json` calls the controller and the space. @throws UserError for someone else's without a name, or with one of ours */
function recordedParts({ controller, space }: Pick<SearchSettings, 'controller' | 'space'>) {
  return { controller: nameOf(controller, controllerCalled), space: nameOf(space, spaceCalled) };
}

function nameOf(part: string | CreateController | CreateSpace, ours: (name: string) => string | undefined): string {
  if (typeof part === 'string') return part;
  if (part.name !== '' && ours(part.name) === undefined) return part.name;
  throw new UserError(
    `A controller or space of your own is recorded by the name of its function, and '${part.name}' is ${part.name === '' ? 'none' : 'one of ours'}: name it differently.`,
  );
}

/** What a recorded name means: the controller or space that was handed over, or ours. @throws UserError where it is neither */
function partNamed<Name extends string, Create extends CreateController | CreateSpace>(
  what: 'controller' | 'space',
  name: string,
  given: Create | undefined,
  ours: (name: string) => Name | undefined,
): Name | Create {
  const found = given ?? ours(name);
  if (found !== undefined && (typeof found === 'string' || found.name === name)) return found;
  throw new UserError(
    `This run was begun with the ${what} '${name}': go on with it by the library's resume, and hand the same ${what} to it.`,
  );
}

/** Settings as `run.json` keeps them. */
export function recordSettings(settings: RunSettings): RunRecord['settings'] {
  const { dataSet, labelFolder, timeSeconds, epochs, memoryBytes, lastChildren, architecture, device, precision } =
    settings;
  return {
    ...(settings.system !== undefined && { system: settings.system }),
    data_set: resolve(dataSet),
    ...(labelFolder !== undefined && { label_folder: resolve(labelFolder) }),
    time_seconds: timeSeconds ?? null,
    epochs: epochs ?? null,
    ...(memoryBytes !== undefined && { memory_bytes: memoryBytes }),
    ...calledAlike(settings),
    ...recordedParts(settings),
    ...(lastChildren !== undefined && { last_children: lastChildren }),
    ...(architecture && { only_child: architecture }),
    ...(settings.earlierSeconds !== undefined && { earlier_seconds: settings.earlierSeconds }),
    ...(settings.isTestedElsewhere && { tests_afterwards: true }),
    device,
    precision,
  };
}

/** The settings of the run in `folder`, with the device and precision that were in use: the rest is computed as its beginning was. */
export function recordedSettings(
  { settings, engine, recipe, network }: RunRecord,
  folder: string,
  { controller, space }: OwnParts,
): RunSettings {
  const {
    data_set,
    label_folder,
    time_seconds,
    epochs,
    memory_bytes,
    last_children,
    only_child,
    earlier_seconds,
    from,
    system,
  } = settings;
  const { device, precision } = engine;
  return {
    ...(system !== undefined && { system }),
    dataSet: data_set,
    ...(label_folder !== undefined && { labelFolder: label_folder }),
    out: folder,
    ...(time_seconds !== null && { timeSeconds: time_seconds }),
    ...(epochs !== null && { epochs }),
    ...(memory_bytes !== undefined && { memoryBytes: memory_bytes }),
    ...calledAlike(settings),
    controller: partNamed('controller', settings.controller, controller, controllerCalled),
    space: partNamed('space', settings.space, space, spaceCalled),
    ...(last_children !== undefined && { lastChildren: last_children }),
    ...(only_child && { architecture: only_child }),
    ...(earlier_seconds !== undefined && { earlierSeconds: earlier_seconds }),
    ...(settings.tests_afterwards && { isTestedElsewhere: true }),
    ...(from && { from: from.run }),
    thickSlices: thickSlicesOf(network),
    recipe,
    device,
    precision,
  };
}
