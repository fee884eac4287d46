import { UserError } from '../errors.ts';

/** What ends a search, whichever comes first; infinite where it is no limit. */
export interface BudgetLimit {
  /** Controller steps. */
  readonly epochs: number;
  /** From the search's start to its report. */
  readonly seconds: number;
}

/** What the parts of a search are expected to take, in seconds; corrected by what they took. */
export interface Durations {
  /** A training step. */
  train: number;
  /** All children of a controller step, judged. */
  judge: number;
  /** What follows the last step: the likeliest child judged, the test cases predicted, the report written. */
  final: number;
}

/** A search's clock: how far it is, and when it has to stop training. */
export interface Budget {
  readonly limit: BudgetLimit;
  readonly durations: Durations;
  /** Training steps in a controller step. */
  readonly trainingSteps: number;
  /** Seconds since the search's start, those of earlier processes included. */
  elapsed(): number;
}

/** Seconds of a whole controller step. */
function stepSeconds({ durations, trainingSteps }: Budget): number {
  return durations.train * trainingSteps + durations.judge;
}

/** When training has to stop so that judging and what follows still fit. */
function trainUntil({ limit, durations }: Budget): number {
  return limit.seconds - durations.judge - durations.final;
}

/** A last step that could only train for a smaller share of its time than this is not begun. */
const smallestShare = 0.1;

/** Whether another controller step is to be begun after `step` finished ones. */
export function hasTimeForStep(budget: Budget, step: number): boolean {
  const enough = smallestShare * budget.durations.train * budget.trainingSteps;
  return step < budget.limit.epochs && trainUntil(budget) - budget.elapsed() > enough;
}

/** Whether the running training phase is to be cut short. */
export function mustStopTraining(budget: Budget): boolean {
  return budget.elapsed() >= trainUntil(budget);
}

/** How much of the training is done, 0 to 1, `done` training steps into controller step `step` (from 0). */
export function trainedFraction(budget: Budget, step: number, done: number): number {
  const ofEpochs = (step + done / budget.trainingSteps) / budget.limit.epochs;
  const ofSeconds = Number.isFinite(budget.limit.seconds) ? budget.elapsed() / trainUntil(budget) : 0;
  return Math.min(1, Math.max(ofEpochs, ofSeconds));
}

/** Controller steps that the whole search will have, as far as can be told; at least 1. */
export function expectedSteps(budget: Budget, step: number): number {
  const inTime = step + (trainUntil(budget) - budget.elapsed()) / stepSeconds(budget);
  return Math.max(1, Math.min(budget.limit.epochs, inTime));
}

/** Seconds until the end, `done` training steps into controller step `step` (from 0). */
export function secondsLeft(budget: Budget, step: number, done: number): number {
  const ofEpochs =
    (budget.limit.epochs - step) * stepSeconds(budget) - done * budget.durations.train + budget.durations.final;
  return Math.max(0, Math.min(ofEpochs, budget.limit.seconds - budget.elapsed()));
}

/** @throws UserError where the time does not even suffice for one controller step */
export function requireOneStep(budget: Budget): void {
  const needed = Math.ceil(budget.elapsed() + stepSeconds(budget) + budget.durations.final);
  if (needed <= budget.limit.seconds) return;
  throw new UserError(
    `--time ${Math.round(budget.limit.seconds)}s is too short: with this data set, one controller step and the report take about ` +
      `${needed} s on this machine. Give at least --time ${Math.ceil(needed * 1.2)}s, better several times that, or fewer --children.`,
  );
}
