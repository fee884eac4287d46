import { join } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import { inTurns } from '../compare/series.ts';
import type { SeriesOptions } from '../compare/series-folder.ts';
import { type ControllerName, controllerNames } from '../controller/controllers.ts';
import type { SearchEvent } from '../run/event.ts';
import type { RunSettings, SearchOptions, TrainingOptions } from '../search/options.ts';
import type { SpaceName } from '../space/names.ts';
import type { Sharing } from './apart.ts';

/** What a study compares on which data set, with how much time. */
export interface StudyOptions extends SeriesOptions, Pick<Sharing, 'sideBySide'> {
  /** Children evaluated at each controller step. */
  readonly children: number;
  /** The fold that is the test set; where it is left out, each is, one after the other. */
  readonly fold?: number;
}

/**
 * What is compared: every controller in the paper's space, the default first, with which all others are compared, and the network that a person
 * would start from.
 */
export const contestants: readonly {
  readonly name: string;
  readonly controller: ControllerName;
  readonly space: SpaceName;
}[] = [
  ...controllerNames.map((controller) => ({ name: controller, controller, space: 'macro' }) as const),
  { name: 'fixed', controller: 'auto', space: 'fixed' },
];

/** A search of the study, in the run folder of this name. */
export type PlannedSearch = { readonly name: string } & Pick<
  RunSettings,
  'controller' | 'space' | 'seed' | 'fold' | 'lastChildren'
>;

/** The training of one child of the study for so many controller steps, in the run folder of this name. */
export interface PlannedTraining {
  readonly name: string;
  readonly architecture: Architecture;
  readonly epochs: number;
  readonly fold: number;
}

export type PlannedRun = PlannedSearch | PlannedTraining;

/** The run folder of a contestant's search; of several folds, it says its own. */
export function runName(contestant: string, seed: number, fold?: number): string {
  return fold === undefined ? `${contestant}-${seed}` : `${contestant}-fold${fold}-${seed}`;
}

/** The run folder of a contestant's search on a fold of a study. */
export const searchName = (
  contestant: string,
  { fold, seed }: Round,
  { fold: only }: Pick<StudyOptions, 'fold'>,
): string => runName(contestant, seed, only === undefined ? fold : undefined);

/** What every contestant does once: a seed on a fold. */
export interface Round {
  readonly seed: number;
  readonly fold: number;
}

/** All rounds, seed by seed. */
export const roundsOf = ({ seeds, folds, fold }: Pick<StudyOptions, 'seeds' | 'folds' | 'fold'>): readonly Round[] =>
  Array.from({ length: seeds }, (_, at) => at + 1).flatMap((seed) =>
    fold === undefined ? Array.from({ length: folds }, (_, one) => ({ seed, fold: one })) : [{ seed, fold }],
  );

/**
 * All contestants' searches, seed by seed and fold by fold. The first is one that needs the most time for a step, as it evaluates the most children: a time that is
 * too short is refused before any other has used it up.
 */
export function plannedContests(
  options: Pick<StudyOptions, 'seeds' | 'children' | 'folds' | 'fold'>,
): readonly PlannedSearch[] {
  const { children } = options;
  const rounds = roundsOf(options);
  const dearest = contestants.findIndex(({ controller }) => controller === 'random');
  const inOrder = [...contestants.slice(dearest), ...contestants.slice(0, dearest)];
  return inTurns(inOrder, rounds.length).flatMap((turn, i) =>
    turn.map(({ name, controller, space }) => {
      const evaluatesMore = controller === 'random' && { lastChildren: rankedPerEvaluated * children };
      return { name: searchName(name, rounds[i], options), controller, space, ...rounds[i], ...evaluatesMore };
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
  { patch, epochs, fold }: { readonly patch: Architecture['patch']; readonly epochs: number; readonly fold: number },
): readonly PlannedTraining[] {
  return children.map((child, i) => ({
    name: `alone-${String(i + 1).padStart(2, '0')}`,
    architecture: { ...child, patch },
    epochs,
    fold,
  }));
}

/** The options of a planned search, under the paper's rules. */
export function searchOptions(
  { seeds: _, sideBySide: __, out, ...shared }: StudyOptions,
  { name, ...own }: PlannedSearch,
): SearchOptions & Pick<RunSettings, 'lastChildren'> {
  return { ...shared, ...own, out: join(out, name) };
}

/** The options of a child's training: its controller steps limit it, whatever limits the searches. */
export function trainingOptions(
  { seeds: _, out, timeSeconds: __, children: ___, sideBySide: ____, ...shared }: StudyOptions,
  { name, epochs, fold }: PlannedTraining,
): TrainingOptions {
  return { ...shared, epochs, fold, out: join(out, name) };
}
