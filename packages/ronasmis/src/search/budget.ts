import { UserError } from '../base/errors.ts';
import type { Outlook } from '../controller/controller.ts';

/** What ends a search, whichever comes first; infinite where it is no limit. */
export interface BudgetLimit {
  /** Controller steps. */
  readonly epochs: number;
  /** From the search's start to its report. */
  readonly seconds: number;
}

/** What the parts of a controller step are expected to take, in seconds. */
export interface StepDurations {
  /** A training step. */
  train: number;
  /** A training step of a cheap child: nine in ten take longer. */
  cheapTrain: number;
  /** A child, judged on all validation cases. */
  judge: number;
}

/** What the parts of a search are expected to take, in seconds; corrected by what they took. */
export interface Durations extends StepDurations {
  /** What follows the last judging: the likeliest child judged, the test cases predicted, the report written. */
  final: number;
}

/** A search's clock: how far it is, and when it has to stop training. */
export interface Budget {
  readonly limit: BudgetLimit;
  readonly durations: Durations;
  /** Training steps of three epochs: what a controller step trains, at least. */
  readonly trainingSteps: number;
  /** Children judged at a controller step that others follow, at most. */
  readonly children: number;
  /** Different ones among the children of the running step: what its judging would take, were it the last. */
  distinctChildren: number;
  /** Share of the steps after which the controller proposes one child alone; 1 where it never does. */
  readonly decidedAfter: number;
  /** The first part of a search of large patches, which is coarse; `durations` are its own until it is over. */
  readonly coarse?: CoarsePart;
  /** Seconds since the search's start, those of earlier processes included. */
  elapsed(): number;
}

/** The part of a search in which volumes are thinned. */
export interface CoarsePart {
  /** Share of the search, from its start. */
  readonly share: number;
  /** What a step takes after it. */
  readonly later: StepDurations;
}

/** Share of a search after which a policy begins to learn (TuNAS, Bender et al. 2020). */
const warmUpShare = 0.25;

/** A coarse part is worth it only where so many controller steps of one child follow. */
const fewestLaterSteps = 2;

/** Whether a search so limited is long enough for a coarse part. */
export function sufficesForCoarse(
  { epochs, seconds }: BudgetLimit,
  trainingSteps: number,
  final: number,
  { share, later }: CoarsePart,
): boolean {
  const laterSeconds = fewestLaterSteps * (later.train * trainingSteps + later.judge) + final;
  return (1 - share) * epochs >= fewestLaterSteps && (1 - share) * seconds >= laterSeconds;
}

/** Whether controller step `step` (from 0) is a coarse one. */
export function isCoarse(budget: Budget, step: number): boolean {
  return budget.coarse !== undefined && trainedFraction(budget, step, 0) < budget.coarse.share;
}

/** From here on, steps take what they take at full resolution. */
export function enterFullResolution({ durations, coarse }: Budget): void {
  Object.assign(durations, coarse?.later);
}

/** How far a controller step is. */
export interface StepProgress {
  readonly trained: number;
  readonly judged: number;
}

/** Where time is short, judging takes at most so much of what training takes: what is not trained can't be told apart. */
const judgingPerTraining = 0.5;
/** But so many children are judged, or there would be nothing to learn from. */
const fewestChildren = 4;
/** A step is begun only where it can train for so much of its three epochs; else the step before trains on. */
const smallestShare = 0.5;
/** Yet when judging took less time than was thought, what is left is used if it holds so much. */
const smallestRest = 0.1;

/** Children to judge after a step that others follow. */
export function childrenPerStep({ limit, durations, trainingSteps, children }: Budget): number {
  if (!Number.isFinite(limit.seconds)) return children;
  const affordable = Math.floor((judgingPerTraining * durations.train * trainingSteps) / durations.judge);
  return Math.min(children, Math.max(fewestChildren, affordable));
}

/** Seconds of a controller step that others follow. */
function stepSeconds(budget: Budget): number {
  const { durations, trainingSteps } = budget;
  return durations.train * trainingSteps + durations.judge * childrenPerStep(budget);
}

/** When training has to stop so that the last judging and what follows still fit. */
function trainUntil({ limit, durations, distinctChildren }: Budget): number {
  return limit.seconds - durations.judge * distinctChildren - durations.final;
}

/** Whether time is left to train for this share of a step, `pause` seconds from now. */
function canTrain(budget: Budget, share: number, pause: number): boolean {
  const { durations, trainingSteps } = budget;
  return trainUntil(budget) - budget.elapsed() - pause > share * durations.train * trainingSteps;
}

/** Whether another controller step is to be begun after `step` finished ones. */
export function hasTimeForStep(budget: Budget, step: number): boolean {
  return step < budget.limit.epochs && canTrain(budget, smallestRest, 0);
}

/** Whether controller step `step` (from 0), as it stands now, is the last one. */
export function isLastStep(budget: Budget, step: number): boolean {
  const judging = budget.durations.judge * childrenPerStep(budget);
  return step + 1 >= budget.limit.epochs || !canTrain(budget, smallestShare, judging);
}

/**
 * Whether training ends after `done` training steps in controller step `step` (from 0): after three epochs, but the last step trains
 * until nothing is left but the time to judge and to finish.
 */
export function hasTrainedEnough(budget: Budget, step: number, done: number): boolean {
  if (budget.elapsed() >= trainUntil(budget)) return true;
  if (done < budget.trainingSteps) return false;
  return step + 1 >= budget.limit.epochs || !isLastStep(budget, step);
}

/** Whether judging has to stop, for the report would come too late. */
export function mustStopJudging({ limit, durations, elapsed }: Budget): boolean {
  return elapsed() > limit.seconds - durations.final;
}

/** How much of the training is done, 0 to 1, `done` training steps into controller step `step` (from 0). */
export function trainedFraction(budget: Budget, step: number, done: number): number {
  const ofEpochs = (step + done / budget.trainingSteps) / budget.limit.epochs;
  const ofSeconds = Number.isFinite(budget.limit.seconds) ? budget.elapsed() / trainUntil(budget) : 0;
  return Math.min(1, Math.max(ofEpochs, ofSeconds));
}

/**
 * How a controller is told where the search stands, `step` controller steps being finished. Of a search with a coarse part, this is all
 * that the controller has to do with: what follows trains its choice.
 */
export function outlookOf(budget: Budget, step: number): Outlook {
  const share = budget.coarse?.share ?? 1;
  const done = Math.min(1, trainedFraction(budget, step, 0) / share);
  return { expectedSteps: expectedSteps(budget, step, share), done, isWarmUp: done < warmUpShare };
}

/** Controller steps that this share of the search will have, as far as can be told; at least 1. */
function expectedSteps(budget: Budget, step: number, share: number): number {
  const inTime = step + Math.max(0, share * trainUntil(budget) - budget.elapsed()) / stepSeconds(budget);
  return Math.max(1, Math.min(share * budget.limit.epochs, inTime));
}

/** Training steps of the whole search, as far as can be told at its start. */
export function expectedTrainingSteps(budget: Budget): number {
  const { coarse, limit, trainingSteps } = budget;
  const searching = outlookOf(budget, 0).expectedSteps * trainingSteps;
  if (coarse === undefined) return searching;
  const rest = 1 - coarse.share;
  return searching + rest * Math.min(limit.epochs * trainingSteps, trainUntil(budget) / coarse.later.train);
}

/** Seconds until the end, with controller step `step` (from 0) done so far. */
export function secondsLeft(budget: Budget, step: number, { trained, judged }: StepProgress): number {
  const { limit, durations, trainingSteps, distinctChildren, decidedAfter, coarse } = budget;
  if (!Number.isFinite(limit.epochs)) return Math.max(0, limit.seconds - budget.elapsed());
  const allSteps = limit.epochs - step;
  const laterSteps = coarse && isCoarse(budget, step) ? Math.floor((1 - coarse.share) * limit.epochs) : 0;
  const steps = allSteps - laterSteps;
  // A controller that makes up its mind proposes ever fewer, then one, mostly near the base child, which is cheap: until then halfway
  // between, on average.
  const decides = decidedAfter < 1;
  const undecided = Math.min(steps, Math.max(0, decidedAfter * limit.epochs - step));
  const most = Math.min(childrenPerStep(budget), distinctChildren);
  const judgements = undecided * (decides ? (most + 1) / 2 : most) + steps - undecided;
  const later = decides && undecided > 0 ? durations.cheapTrain : durations.train;
  const training = (undecided * (durations.train + later)) / 2 + (steps - undecided) * later;
  const laterStep = coarse ? coarse.later.train * trainingSteps + coarse.later.judge * (decides ? 1 : most) : 0;
  const work =
    training * trainingSteps -
    durations.train * trained +
    durations.judge * (judgements - judged) +
    laterSteps * laterStep;
  return Math.max(0, Math.min(Math.max(0, work) + durations.final, limit.seconds - budget.elapsed()));
}

/** @throws UserError where the time does not even suffice for one controller step */
export function requireOneStep(budget: Budget): void {
  const { durations, trainingSteps, children } = budget;
  const step = durations.train * trainingSteps + durations.judge * children;
  const needed = Math.ceil(budget.elapsed() + step + durations.final);
  if (needed <= budget.limit.seconds) return;
  throw new UserError(
    `--time ${Math.round(budget.limit.seconds)}s is too short: with this data set, one controller step and the report take about ` +
      `${needed} s on this machine. Give at least --time ${Math.ceil(needed * 1.2)}s, better several times that, or fewer --children.`,
  );
}
