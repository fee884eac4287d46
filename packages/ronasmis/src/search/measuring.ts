import { isDeepStrictEqual } from 'node:util';
import { narrow, noGradient, scope, type Tensor } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import { sum } from '../base/statistics.ts';
import { dataTypeOf } from '../engine/device.ts';
import { segment } from '../inference/segment.ts';
import { looksOf, voxelsPassed } from '../inference/tiles.ts';
import { networkOf } from '../network/of-architecture.ts';
import { networkWeights } from '../network/weights.ts';
import type { Downsampling } from '../preparation/downsampling.ts';
import { isResampled, type PreparedCase } from '../preparation/prepare.ts';
import type { Team } from '../ranks/team.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { kindsOfDifferences } from '../space/differences.ts';
import { measureStep } from '../training/measure.ts';
import { whereMemorySuffices } from '../training/out-of-memory.ts';
import type { Trainer } from '../training/trainer.ts';
import { batchShape } from './batch-shape.ts';
import { type Clock, type Durations, type Limit, type StepDurations, sufficesForCoarse } from './clock.ts';
import { reportSeconds, secondsBetweenCheckpoints, shareBetweenCheckpoints } from './constants.ts';
import { caseNamed, type RunContext } from './context.ts';
import { toDeviceBatches } from './device-batches.ts';
import { evaluateOnOwnGrid } from './evaluating.ts';
import { otherShares } from './joining.ts';
import type { RunSettings } from './options.ts';

/** Networks of a run that its durations are measured with. */
export interface Measured {
  /** The most demanding one. */
  readonly largest: Architecture;
  readonly base: Architecture;
  /** Children proposed at each controller step. */
  readonly children: number;
  /** Whether the base child is evaluated beside them, for what is found to be compared with it. */
  readonly hasReference: boolean;
  /** Whether what is found may be joined with what a coarse part has come to. */
  readonly joins: boolean;
}

/** When a clock starts, and what was done before it by earlier processes. */
export interface Start {
  /** Of `performance.now()`. */
  readonly startedAt: number;
  /** Finished controller steps, and the seconds that they took. */
  readonly step: number;
  readonly seconds: number;
}

/** What is measured with: nothing of it is changed. */
interface Bench {
  readonly context: RunContext;
  readonly trainer: Trainer;
}

/**
 * The clock of a run. Runs the most demanding network on the largest batch and the largest scan, so that memory hardly grows afterwards,
 * then the base child, without changing the weights, to know what the parts of the search take.
 */
export async function openClock(
  bench: Bench,
  { largest, base, children, hasReference, joins }: Measured,
  { epochs = Number.POSITIVE_INFINITY, timeSeconds = Number.POSITIVE_INFINITY, children: perStep }: RunSettings,
  { startedAt, step, seconds }: Start,
): Promise<Clock> {
  const { context } = bench;
  const { team } = context;
  await measureLargest(bench, largest);
  const [full] = team.gather(await measureDurations(bench, base, isDeepStrictEqual(largest, base)));
  const limit = { epochs, seconds: timeSeconds };
  const { recipe } = context;
  const trainingSteps = stepsOfAnEpoch(context, limit, full);
  const hasCoarse = context.downsampling !== undefined && sufficesForCoarse(limit, trainingSteps, full, recipe);
  const coarse = (): StepDurations => team.gather(coarseDurations(bench, base, full))[0];
  // A joined network is evaluated in the end, and takes what the coarse one takes besides.
  const share = 1 / voxelsOf(context.downsampling ?? [1, 1, 1]);
  const final = hasCoarse && joins ? (1 + share) * (full.evaluate + full.final) : full.final;
  return {
    limit,
    recipe,
    durations: hasCoarse ? { ...coarse(), final } : full,
    trainingSteps,
    children: Math.min(perStep, children) + Number(hasReference),
    ...(hasCoarse && { later: { train: full.train, evaluate: full.evaluate } }),
    step,
    different: children + Number(hasReference),
    compared: (hasReference ? kindsOfDifferences : 0) + (hasCoarse && joins ? otherShares : 0),
    ...timer(team, () => seconds + (performance.now() - startedAt) / 1000),
  };
}

/** How a clock tells the seconds, by what this process measures: ranks go by the first one's. */
function timer(team: Team, measured: () => number): Pick<Clock, 'elapsed' | 'agree'> {
  if (team.size === 1) return { elapsed: measured };
  let agreed = team.fromFirst(measured);
  const agree = (): void => {
    agreed = team.fromFirst(measured);
  };
  return { elapsed: () => agreed, agree };
}

/**
 * Training steps of a controller step. Where the recipe says how long an epoch is and the run has only a time, which all epochs share
 * anyway, an epoch is no longer than about what a killed run may lose.
 */
function stepsOfAnEpoch({ recipe, split }: RunContext, limit: Limit, { train }: Durations): number {
  const { steps_per_epoch, mini_batches } = recipe.training;
  if (steps_per_epoch === null)
    return Math.ceil((recipe.search.training_epochs * split.training.length) / (mini_batches ?? 1));
  if (Number.isFinite(limit.epochs)) return steps_per_epoch;
  const seconds = Math.min(secondsBetweenCheckpoints, shareBetweenCheckpoints * limit.seconds);
  return Math.min(steps_per_epoch, Math.max(1, Math.floor(seconds / train)));
}

async function measureLargest(bench: Bench, largest: Architecture): Promise<void> {
  const { device, split } = bench.context;
  const evaluated = (split.validation.length > 0 ? split.validation : split.test).map((name) =>
    caseNamed(bench.context, name),
  );
  await whereMemorySuffices(device, () => measureTraining(bench, largest));
  await whereMemorySuffices(device, () => measurePass(bench, largest, evaluated.reduce(largerCase)));
}

/**
 * The parts of a run at full resolution, by the base child.
 * @param hasRun whether it has run before: what a first run takes to be compiled is not measured
 */
async function measureDurations(bench: Bench, base: Architecture, hasRun: boolean): Promise<Durations> {
  const { split } = bench.context;
  if (!hasRun) measureTraining(bench, base);
  const train = measureTraining(bench, base);
  const [validation, test] = [split.validation, split.test].map((names) =>
    names.map((name) => caseNamed(bench.context, name)),
  );
  const { inference } = bench.context.recipe;
  const [measured] = [...validation, ...test];
  const perVoxel = measurePass(bench, base, measured);
  const secondsOf = (cases: readonly PreparedCase[], how = inference): number =>
    perVoxel * sum(cases.map(({ shape }) => voxelsPassed(shape, looksOf(how, base), how)));
  const evaluate = secondsOf(validation);
  if (bench.context.isTestedElsewhere) return { train, evaluate, final: evaluate };
  const [resampled, others] = [test.filter(isResampled), test.filter((prepared) => !isResampled(prepared))];
  // A scan in all its windows and mirrorings may take minutes: on the scans' own grids, it is measured without them.
  const few = { ...inference, mirroring: false, tile_step: 1 };
  const onOtherGrids =
    (await measureOtherGrids(bench, base, resampled, few)) + secondsOf(resampled) - secondsOf(resampled, few);
  const drawn = secondsOf(test.slice(0, 3));
  return { train, evaluate, final: evaluate + secondsOf(others) + onOtherGrids + drawn + reportSeconds };
}

/** Seconds of a training step, from one of its mini-batches. */
function measureTraining({ context, trainer }: Bench, child: Architecture, downsampling?: Downsampling): number {
  const { patch, patches } = batchShape(context, child);
  const crop = { case: 0, offset: [0, 0, 0], flip: [] } as const;
  const plan = { patch, crops: Array.from({ length: patches }, () => crop), ...(downsampling && { downsampling }) };
  const { recipe, team } = context;
  const own = Math.ceil((recipe.training.mini_batches ?? 1) / team.size);
  return own * measureStep(trainer, networkOf(child, context.dimensions), plan, context.dimensions.inputChannels);
}

/** Seconds that a voxel takes to be predicted, of a pass after a first one: over a case as a whole, or over a window of it. */
function measurePass({ context, trainer }: Bench, child: Architecture, prepared: PreparedCase): number {
  const inference = { ...context.recipe.inference, mirroring: false };
  const { window: tile } = looksOf(inference, child);
  return noGradient(() =>
    scope(() => {
      const [{ image }] = toDeviceBatches(context, [prepared]);
      const part = tile ? cornerOf(image, tile) : image;
      const network = networkOf(child, context.dimensions);
      const own = networkWeights(network, trainer.weights, dataTypeOf[context.precision]);
      const pass = (): Tensor => segment(network, own, part, { tile, inference });
      pass();
      const started = performance.now();
      pass().toArray();
      return (performance.now() - started) / 1000 / voxelsOf(tile ?? prepared.shape);
    }),
  );
}

/** The first voxels of an image, no more than a window has. */
function cornerOf(image: Tensor, window: Triple): Tensor {
  return window.reduce((part, size, axis) => narrow(part, axis + 2, 0, Math.min(size, image.shape[axis + 2])), image);
}

/**
 * Seconds that these cases take to be evaluated on their scans' own grids by this inference, from the first of them: labels are read again, and
 * predictions brought back, which may take longer than the network does.
 */
async function measureOtherGrids(
  { context, trainer }: Bench,
  base: Architecture,
  cases: readonly PreparedCase[],
  inference: Recipe['inference'],
): Promise<number> {
  if (cases.length === 0) return 0;
  const started = performance.now();
  const measured = { ...context, recipe: { ...context.recipe, inference } };
  // As long as it can take: with components looked for.
  const child = { architecture: base, cleaned: inference.removes_small_components ? [1] : [] };
  await evaluateOnOwnGrid({ context: measured, weights: trainer.weights }, child, cases[0], async () => {});
  const seconds = (performance.now() - started) / 1000;
  const voxels = cases.map(({ crop }) => voxelsOf(crop.shape));
  return seconds * sum(voxels.map((ofCase) => ofCase / voxels[0]));
}

/** What a step takes on downsampled volumes, where it takes `full` on others. */
function coarseDurations(bench: Bench, base: Architecture, full: Durations) {
  const { downsampling = [1, 1, 1] } = bench.context;
  measureTraining(bench, base, downsampling);
  return { train: measureTraining(bench, base, downsampling), evaluate: full.evaluate / voxelsOf(downsampling) };
}

function largerCase(one: PreparedCase, other: PreparedCase): PreparedCase {
  return voxelsOf(other.shape) > voxelsOf(one.shape) ? other : one;
}
