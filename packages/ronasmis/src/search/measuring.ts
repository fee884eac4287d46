import { voxelsOf } from '../base/geometry.ts';
import { isResampled, type PreparedCase } from '../preparation/prepare.ts';

import { type Budget, type StepDurations, sufficesForCoarse } from './budget.ts';
import type { SearchContext } from './context.ts';
import { caseNamed, judgeOnOwnGrid, measureJudging } from './judging.ts';
import { voxelsOfAll, whereMemorySuffices } from './memory.ts';
import type { SearchSettings } from './options.ts';
import type { SearchState } from './state.ts';
import { measureStep, trainingStepsPerPhase } from './training.ts';

/**
 * Runs the largest child on the largest batch and the largest scan, so that memory hardly grows afterwards, then the base child,
 * without changing the weights, to know what the parts of the search take.
 */
export async function measureBudget(
  context: SearchContext,
  state: SearchState,
  { epochs = Number.POSITIVE_INFINITY, timeSeconds = Number.POSITIVE_INFINITY, children }: SearchSettings,
  startedAt: number,
): Promise<Budget> {
  const { space, split } = context;
  whereMemorySuffices(context.device, () => measureStep(context, state, space.largest));
  measureStep(context, state, space.base);
  const train = measureStep(context, state, space.base);
  const validation = split.validation.map((name) => caseNamed(context, name));
  whereMemorySuffices(context.device, () =>
    measureJudging(context, state.weights, space.largest, validation.reduce(largerCase)),
  );
  const perVoxel = measureJudging(context, state.weights, space.base, validation[0]) / voxelsOf(validation[0].shape);
  const oneShots = (cases: readonly PreparedCase[]): number => perVoxel * voxelsOfAll(cases);
  const test = split.test.map((name) => caseNamed(context, name));
  const testing = oneShots(test.filter((prepared) => !isResampled(prepared)));
  const onOtherGrids = await measureOtherGrids(context, state, test.filter(isResampled));
  const later = { train, cheapTrain: train, judge: oneShots(validation) };
  const final = later.judge + testing + onOtherGrids + oneShots(test.slice(0, 3)) + reportSeconds;
  const limit = { epochs, seconds: timeSeconds };
  const trainingSteps = trainingStepsPerPhase(context);
  const coarse = { share: coarseShare, later };
  const hasCoarse = context.thinning !== undefined && sufficesForCoarse(limit, trainingSteps, final, coarse);
  const share = hasCoarse ? coarseShare : 1;
  const secondsBefore = state.seconds;
  return {
    limit,
    durations: { ...(hasCoarse ? coarseDurations(context, state, later) : later), final },
    trainingSteps,
    children: Math.min(children, context.children),
    distinctChildren: context.children,
    decidedAfter: state.controller.decidedAfter ? share * state.controller.decidedAfter(share * epochs) : 1,
    ...(hasCoarse && { coarse }),
    elapsed: () => secondsBefore + (performance.now() - startedAt) / 1000,
  };
}

/**
 * Seconds that these cases take to be judged on their scans' own grids, by the first of them: labels are read again, and predictions brought
 * back, which may take longer than the network does.
 */
async function measureOtherGrids(
  context: SearchContext,
  { weights }: SearchState,
  cases: readonly PreparedCase[],
): Promise<number> {
  if (cases.length === 0) return 0;
  const started = performance.now();
  await judgeOnOwnGrid(context, weights, context.space.base, cases[0], async () => {});
  const seconds = (performance.now() - started) / 1000;
  const voxels = cases.map(({ crop }) => voxelsOf(crop.shape));
  return seconds * voxels.reduce((sum, ofCase) => sum + ofCase / voxels[0], 0);
}

/** Share of a search that is coarse. */
const coarseShare = 0.5;

/** What a step takes on thinned volumes, where it takes `full` on others. */
function coarseDurations(context: SearchContext, state: SearchState, full: StepDurations): StepDurations {
  const { thinning = [1, 1, 1], space } = context;
  measureStep(context, state, space.base, thinning);
  const train = measureStep(context, state, space.base, thinning);
  return { train, cheapTrain: train, judge: full.judge / voxelsOf(thinning) };
}

function largerCase(one: PreparedCase, other: PreparedCase): PreparedCase {
  return voxelsOf(other.shape) > voxelsOf(one.shape) ? other : one;
}

/** Drawing and writing the report. */
const reportSeconds = 2;
