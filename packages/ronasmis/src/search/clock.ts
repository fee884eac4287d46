import { UserError } from '../base/errors.ts';
import type { Outlook } from '../controller/controller.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { comparedShare, fewestLaterSteps, smallestRest, smallestShare } from './constants.ts';

/** What ends a search, whichever comes first; infinite where it is no limit. */
export interface Limit {
  /** Controller steps. */
  readonly epochs: number;
  /** From the search's start to its report. */
  readonly seconds: number;
}

/** Seconds that the parts of a controller step take. */
export interface StepDurations {
  /** A training step. */
  train: number;
  /** A child, evaluated on all validation cases. */
  evaluate: number;
}

/** Seconds that the parts of a search take. */
export interface Durations extends StepDurations {
  /** What follows the last evaluation: the likeliest child evaluated, the test cases predicted, the report written. */
  readonly final: number;
}

/** What of a recipe a clock goes by. */
export type ClockRecipe = Pick<Recipe, 'search' | 'controller' | 'training'>;

/** A search's clock: it owns what was measured of time, how far the search is, and when it has to stop training. */
export interface Clock {
  readonly limit: Limit;
  readonly recipe: ClockRecipe;
  /** As they were last measured: before the search, then at each controller step. */
  readonly durations: Durations;
  /** Training steps of three epochs, or of one where the recipe says how many it has: what a controller step trains, at least. */
  readonly trainingSteps: number;
  /** Children evaluated at a controller step that others follow, at most, the base child included. */
  readonly children: number;
  /** Networks that what was found is compared with in the end, at most. */
  readonly compared: number;
  /** What a step takes after the search's coarse first part, if it has one; `durations` are the coarse part's own until it is over. */
  readonly later?: StepDurations;
  /** Finished controller steps. */
  step: number;
  /** Different ones among the children of the running step: what its evaluation would take, were it the last. */
  different: number;
  /** Seconds since the search's start, those of earlier processes included; where ranks share it, as they have last agreed. */
  elapsed(): number;
  /** Has all ranks go by the first one's time until they are asked again; left out of a run in one process. */
  agree?(): void;
}

/** Whether a search so limited is long enough for a coarse part: two controller steps of one child have to follow it. */
export function sufficesForCoarse(
  { epochs, seconds }: Limit,
  trainingSteps: number,
  { train, evaluate, final }: Durations,
  { search: { coarse_share } }: ClockRecipe,
): boolean {
  const laterSeconds = fewestLaterSteps * (train * trainingSteps + evaluate) + final;
  const [left, laterEpochs] = [(1 - coarse_share) * seconds, (1 - coarse_share) * epochs];
  return coarse_share > 0 && laterEpochs >= fewestLaterSteps && left >= laterSeconds;
}

/** Whether the running controller step is a coarse one. */
export function isCoarse(clock: Clock): boolean {
  return clock.later !== undefined && trainedFraction(clock) < clock.recipe.search.coarse_share;
}

/** From here on, steps take what they take at full resolution. */
export function enterFullResolution({ durations, later }: Clock): void {
  Object.assign(durations, later);
}

/** Children to evaluate after a step that others follow. */
export function childrenPerStep({ limit, durations, trainingSteps, children, recipe }: Clock): number {
  const { evaluation_share, fewest_children } = recipe.search;
  if (!Number.isFinite(limit.seconds)) return children;
  const affordable = Math.floor((evaluation_share * durations.train * trainingSteps) / durations.evaluate);
  return Math.min(children, Math.max(fewest_children, affordable));
}

/** When training has to stop so that the last evaluation and what follows still fit. */
function trainUntil({ limit, durations, different, compared }: Clock): number {
  const comparing = Math.min(durations.evaluate * compared, comparedShare * limit.seconds);
  return limit.seconds - durations.evaluate * different - comparing - durations.final;
}

/** Whether time is left to train for this share of a step, `pause` seconds from now. */
function canTrain(clock: Clock, share: number, pause: number): boolean {
  const { durations, trainingSteps } = clock;
  return trainUntil(clock) - clock.elapsed() - pause > share * durations.train * trainingSteps;
}

/** Whether another controller step is to be begun. */
export function hasTimeForStep(clock: Clock): boolean {
  return clock.step < clock.limit.epochs && canTrain(clock, smallestRest, 0);
}

/** Whether the running controller step, as it stands now, is the last one. */
export function isLastStep(clock: Clock): boolean {
  const evaluation = clock.durations.evaluate * childrenPerStep(clock);
  return clock.step + 1 >= clock.limit.epochs || !canTrain(clock, smallestShare, evaluation);
}

/**
 * Whether training ends after `done` training steps of the running controller step: after three epochs, but the last step trains until
 * nothing is left but the time to evaluate and to finish.
 */
export function hasTrainedEnough(clock: Clock, done: number): boolean {
  if (clock.elapsed() >= trainUntil(clock)) return true;
  if (done < clock.trainingSteps) return false;
  return clock.step + 1 >= clock.limit.epochs || !isLastStep(clock);
}

/** Whether evaluation has to stop, for the report would come too late. */
export function mustStopEvaluating({ limit, durations, elapsed }: Clock): boolean {
  return elapsed() > limit.seconds - durations.final;
}

/** How much of the training is done, 0 to 1, `done` training steps into the running controller step. */
export function trainedFraction(clock: Clock, done = 0): number {
  const ofEpochs = (clock.step + done / clock.trainingSteps) / clock.limit.epochs;
  const ofSeconds = Number.isFinite(clock.limit.seconds) ? clock.elapsed() / trainUntil(clock) : 0;
  return Math.min(1, Math.max(ofEpochs, ofSeconds));
}

/**
 * How much of the training is done, as the learning rate goes by it: at every step, or, where the recipe says how many steps an epoch has and
 * epochs alone limit the run, at the beginning of each epoch, as nnU-Net's falls.
 */
export function scheduledFraction(clock: Clock, done: number): number {
  const isByEpoch = clock.recipe.training.steps_per_epoch !== null && !Number.isFinite(clock.limit.seconds);
  return trainedFraction(clock, isByEpoch ? 0 : done);
}

/**
 * How a controller is told where the search stands. Of a search with a coarse part, this is all that the controller has to do with: what
 * follows trains its choice.
 */
export function outlookOf(clock: Clock): Outlook {
  const { search } = clock.recipe;
  const share = clock.later ? search.coarse_share : 1;
  const done = Math.min(1, trainedFraction(clock) / share);
  return { expectedSteps: expectedSteps(clock, share), done };
}

/** Whether the shared weights have hardly been trained: rewards say then what learns quickly, not what is good. */
export function isWarmUp({ recipe }: Pick<Clock, 'recipe'>, { done }: Outlook): boolean {
  return done < recipe.controller.warm_up_share;
}

/** Controller steps that this share of the search will have, as far as can be told; at least 1. */
function expectedSteps(clock: Clock, share: number): number {
  const { durations, trainingSteps, step, limit } = clock;
  const stepSeconds = durations.train * trainingSteps + durations.evaluate * childrenPerStep(clock);
  const inTime = step + Math.max(0, share * trainUntil(clock) - clock.elapsed()) / stepSeconds;
  return Math.max(1, Math.min(share * limit.epochs, inTime));
}

/** Training steps of the whole search, as far as can be told at its start. */
export function expectedTrainingSteps(clock: Clock): number {
  const { later, limit, trainingSteps } = clock;
  const searching = outlookOf(clock).expectedSteps * trainingSteps;
  if (later === undefined) return searching;
  const rest = Math.min(limit.epochs * trainingSteps, trainUntil(clock) / later.train);
  return searching + (1 - clock.recipe.search.coarse_share) * rest;
}

/** How far the running controller step is: its training steps, and its children that are evaluated. */
export interface StepProgress {
  readonly trained: number;
  readonly evaluated: number;
}

/**
 * Seconds until the end: to the end of the time, or as long as the steps that are left take if they are as the last one was. Of ten short
 * searches on an idle processor it was 0.9 to 1.5 times what was left, mostly above, for a controller that makes up its mind proposes fewer
 * and cheaper children later.
 */
export function secondsLeft(clock: Clock, { trained, evaluated }: StepProgress): number {
  const { limit, durations, trainingSteps, different, later } = clock;
  if (!Number.isFinite(limit.epochs)) return Math.max(0, limit.seconds - clock.elapsed());
  const children = Math.min(childrenPerStep(clock), different);
  const secondsOf = ({ train, evaluate }: StepDurations): number => train * trainingSteps + evaluate * children;
  const steps = limit.epochs - clock.step;
  const laterSteps = later && isCoarse(clock) ? Math.floor((1 - clock.recipe.search.coarse_share) * limit.epochs) : 0;
  const done = durations.train * trained + durations.evaluate * evaluated;
  const work = (steps - laterSteps) * secondsOf(durations) - done + laterSteps * secondsOf(later ?? durations);
  return Math.max(0, Math.min(Math.max(0, work) + durations.final, limit.seconds - clock.elapsed()));
}

/** @throws UserError where the time does not even suffice for one controller step */
export function requireOneStep(clock: Clock): void {
  const { limit, durations, trainingSteps, children } = clock;
  const step = durations.train * trainingSteps + durations.evaluate * children;
  const needed = Math.ceil(clock.elapsed() + step + durations.final);
  if (needed <= limit.seconds) return;
  // One child and the base child are the fewest.
  const [what, mend] = children > 2 ? ['one controller step', ', or fewer --children'] : ['the shortest training', ''];
  throw new UserError(
    `--time ${Math.round(limit.seconds)}s is too short: with this data set, ${what} and the report take about ` +
      `${needed} s on this machine. Give at least --time ${Math.ceil(needed * 1.2)}s, better several times that${mend}.`,
  );
}
