import { join } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import { inTurns } from '../compare/series.ts';
import { type ControllerName, controllerNames } from '../controller/controllers.ts';
import type { ComputeDevice, Precision } from '../engine/device.ts';
import type { SearchEvent } from '../run/event.ts';
import type { RunSettings, SearchOptions, TrainingOptions } from '../search/options.ts';
import type { SpaceName } from '../space/names.ts';

/** What a study compares on which data set, with how much time. */
export interface StudyOptions {
  /** Folder in the layout of the Medical Segmentation Decathlon or of nnU-Net v2. */
  readonly dataSet: string;
  /** Folder of label maps; then `dataSet` is a folder of images alone. */
  readonly labelFolder?: string;
  /** Folder of the study; what it holds of the same study is taken as it is. */
  readonly out: string;
  /** How often each contestant searches, with the seeds 1, 2, ... */
  readonly seeds: number;
  /** Seconds of each search. */
  readonly timeSeconds?: number;
  /** Controller steps of each search. */
  readonly epochs?: number;
  /** Children evaluated at each controller step. */
  readonly children: number;
  /** Bytes that each search may take; 80 % of what is free at its beginning where it is left out. */
  readonly memoryBytes?: number;
  readonly folds: number;
  readonly fold: number;
  readonly device: 'auto' | ComputeDevice;
  readonly precision: 'auto' | Precision;
}

/** What is compared: every controller in the paper's space, and the network that a person would start from. */
export const contestants: readonly {
  readonly name: string;
  readonly controller: ControllerName;
  readonly space: SpaceName;
}[] = [
  ...controllerNames.map((controller) => ({ name: controller, controller, space: 'macro' }) as const),
  { name: 'fixed', controller: 'reinforce', space: 'fixed' },
];

/** A search of the study, in the run folder of this name. */
export type PlannedSearch = { readonly name: string } & Pick<
  RunSettings,
  'controller' | 'space' | 'seed' | 'lastChildren'
>;

/** The training of one child of the study for so many controller steps, in the run folder of this name. */
export interface PlannedTraining {
  readonly name: string;
  readonly architecture: Architecture;
  readonly epochs: number;
}

export type PlannedRun = PlannedSearch | PlannedTraining;

/** The run folder of a contestant's search. */
export function runName(contestant: string, seed: number): string {
  return `${contestant}-${seed}`;
}

/**
 * All contestants' searches, seed by seed. The first is one that needs the most time for a step, as it evaluates the most children: a time that is
 * too short is refused before any other has used it up.
 */
export function plannedContests({
  seeds,
  children,
}: Pick<StudyOptions, 'seeds' | 'children'>): readonly PlannedSearch[] {
  const dearest = contestants.findIndex(({ controller }) => controller === 'random');
  const inOrder = [...contestants.slice(dearest), ...contestants.slice(0, dearest)];
  return inTurns(inOrder, seeds).flatMap((round, i) =>
    round.map(({ name, controller, space }) => {
      const evaluatesMore = controller === 'random' && { lastChildren: rankedPerEvaluated * children };
      return { name: runName(name, i + 1), controller, space, seed: i + 1, ...evaluatesMore };
    }),
  );
}

/** Children that are also trained alone, at most: as few as a rank correlation can do with. */
export const childrenAlone = 12;

/**
 * Random search evaluates so many times more children at its last step than at others: their rewards spread more, so that what some of them are
 * worth alone differs by more than chance.
 */
const rankedPerEvaluated = 3;

/** A child that shared its weights when it was evaluated. */
export type SharedChild = SearchEvent['children'][number];

/**
 * Children of a step of random search, evenly over the range of their rewards: they are uniform over the space, and evaluated with the
 * same shared weights. Fewer than `most` where fewer differ.
 */
export function pickChildren(evaluated: readonly SharedChild[], most: number): readonly SharedChild[] {
  const different = new Map(evaluated.map((child) => [JSON.stringify(child.architecture), child]));
  const left = [...different.values()].sort((a, b) => a.reward - b.reward);
  const count = Math.min(most, left.length);
  const [low, high] = [left[0].reward, left[left.length - 1].reward];
  const picked = Array.from({ length: count }, (_, i) => {
    const wanted = low + (high - low) * (i / Math.max(1, count - 1));
    const off = ({ reward }: SharedChild): number => Math.abs(reward - wanted);
    const nearest = left.reduce((best, child) => (off(child) < off(best) ? child : best));
    left.splice(left.indexOf(nearest), 1);
    return nearest;
  });
  return picked.sort((a, b) => a.reward - b.reward);
}

/**
 * Each child is trained alone for this share of the shared weights' steps. Dice after a twelfth of them tell how fast a child learns more
 * than what it is worth; as many steps as the shared weights had would take as long as twelve searches.
 */
export const aloneShare = 1 / 4;

/** Controller steps that each child is trained for alone, where the shared weights had so many. */
export function epochsAlone(sharedSteps: number): number {
  return Math.max(1, Math.round(sharedSteps * aloneShare));
}

/**
 * The training of children alone, each for as many controller steps. Not for as long a time, of which slower children would make less,
 * which no reward can tell. For the same reason all are trained on patches of one size.
 */
export function plannedAlone(
  children: readonly Architecture[],
  patch: Architecture['patch'],
  epochs: number,
): readonly PlannedTraining[] {
  return children.map((child, i) => ({
    name: `alone-${String(i + 1).padStart(2, '0')}`,
    architecture: { ...child, patch },
    epochs,
  }));
}

/** The options of a planned search, under the paper's rules. */
export function searchOptions(
  { seeds: _, out, ...shared }: StudyOptions,
  { name, ...own }: PlannedSearch,
): SearchOptions & Pick<RunSettings, 'lastChildren'> {
  return { augment: false, ...shared, ...own, out: join(out, name) };
}

/** The options of a child's training: its controller steps limit it, whatever limits the searches. */
export function trainingOptions(
  { seeds: _, out, timeSeconds: __, children: ___, ...shared }: StudyOptions,
  { name, epochs }: PlannedTraining,
): TrainingOptions {
  return { augment: false, ...shared, epochs, out: join(out, name) };
}
