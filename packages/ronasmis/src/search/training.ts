import { addInPlace, detach, foreachLerp, noGradient, scope, type Tensor, zeros } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { voxelsOf } from '../base/geometry.ts';
import { quantile } from '../base/statistics.ts';
import type { Batch, Batches } from '../batches/batches.ts';
import { filledShape } from '../batches/fill-batch.ts';
import { samplePlan } from '../batches/sample.ts';
import { dataTypeOf } from '../engine/device.ts';
import { toImage } from '../inference/segment.ts';
import { childNetwork } from '../network/child.ts';
import { forward } from '../network/forward.ts';
import { networkLoss } from '../network/loss.ts';
import { networkWeights } from '../network/weights.ts';
import type { Thinning } from '../preparation/thinning.ts';
import { type Budget, hasTrainedEnough, outlookOf, trainedFraction } from './budget.ts';
import { type SearchContext, toLabel } from './context.ts';
import { whereMemorySuffices } from './memory.ts';
import { initialLearningRate, type SearchState } from './state.ts';

/** Passes over the training cases in a controller step (paper, section 2.3). */
const epochsPerStep = 3;
/** Share of skips left out at each training step: the zero operation (paper, Table 1). */
const dropPath = 0.1;
/** Largest norm of the gradient, as nnU-Net clips it. */
const largestGradient = 12;
/** Share of the training steps so far that the weights' moving average is over. */
const averagedShare = 0.1;
/** Exponent of the polynomial that the learning rate falls by (nnU-Net). */
const decayPower = 0.9;

/** Training steps of the shared weights in one controller step. */
export function trainingStepsPerPhase(context: SearchContext): number {
  return epochsPerStep * context.split.training.length;
}

/** Called after each training step: how many are done, of how many. Rejects where the search is to stop. */
export type AfterStep = (done: number, total: number) => Promise<void>;

/**
 * Phase one of a controller step: three epochs of the shared weights, every mini-batch on another child that the controller
 * draws. The last step of a time budget trains until its time is over.
 *
 * Where memory does not suffice for a child after all, its mini-batch is left out.
 * @param thinning of the patches, that of the cases that the step's children are judged on
 */
export async function trainSharedWeights(
  context: SearchContext,
  state: SearchState,
  budget: Budget,
  batches: Batches,
  thinning: Thinning | undefined,
  after: AfterStep,
): Promise<TrainingPhase> {
  const { augment } = context;
  const upcoming = miniBatches(context, state, budget);
  const request = (): Architecture => {
    const { child, chosen } = upcoming.next().value;
    const crops = Array.from({ length: patchesPerBatch(context, child.patch) }, () => chosen);
    const { depth, height, width } = child.patch;
    batches.request(
      samplePlan(state.random, context.cases, crops, { patch: [depth, height, width], augment, thinning }),
    );
    return child;
  };
  const lossSum = noGradient(() => zeros([], { dataType: 'float32', device: context.device }));
  const started = performance.now();
  const stepSeconds: number[] = [];
  let done = 0;
  let leftOut = 0;
  let requested: Architecture | undefined;
  try {
    while (done === 0 || !hasTrainedEnough(budget, state.step, done)) {
      const stepStarted = performance.now();
      const child = requested ?? request();
      const batch = await batches.next();
      // The next batch is made while this one is trained on. Mostly none follows the third epoch's last one.
      requested = done + 1 === budget.trainingSteps ? undefined : request();
      const learningRate = initialLearningRate * (1 - trainedFraction(budget, state.step, done)) ** decayPower;
      if (!trainWithinMemory(context, state, child, batch, learningRate, lossSum)) leftOut += 1;
      batch.release();
      done += 1;
      stepSeconds.push((performance.now() - stepStarted) / 1000);
      state.trainingSteps += 1;
      await after(done, Math.max(done, budget.trainingSteps));
    }
    if (requested) (await batches.next()).release();
    budget.durations.train = (performance.now() - started) / 1000 / done;
    budget.durations.cheapTrain = quantile(
      stepSeconds.sort((left, right) => left - right),
      0.1,
    );
    return { loss: finiteLoss(lossSum.item() / (done - leftOut)), leftOut };
  } finally {
    lossSum.free();
  }
}

/** What phase one of a controller step came to. */
export interface TrainingPhase {
  /** Mean of its training steps. */
  readonly loss: number;
  /** Mini-batches that memory did not suffice for. */
  readonly leftOut: number;
}

interface MiniBatch {
  readonly child: Architecture;
  /** Index into the search's cases of the one that its patches are from. */
  readonly chosen: number;
}

/** Mini-batches without end: every epoch has the training cases in a new order, each of them a mini-batch with a child of its own. */
function* miniBatches(
  { cases, space, split }: SearchContext,
  state: SearchState,
  budget: Budget,
): Generator<MiniBatch, never> {
  const indices = split.training.map((name) => cases.findIndex((prepared) => prepared.name === name));
  for (;;) {
    const order = Array.from({ length: epochsPerStep }, () => state.random.shuffle(indices)).flat();
    const children = state.controller.proposeForTraining(order.length, state.random, outlookOf(budget, state.step));
    for (const [index, choices] of children.entries()) yield { child: space.decode(choices), chosen: order[index] };
  }
}

/** Patches in a batch, all of one case: so many that every batch has about the voxels of the largest patch's. */
export function patchesPerBatch({ space }: SearchContext, patch: Architecture['patch']): number {
  const voxels = ({ depth, height, width }: Architecture['patch']): number => depth * height * width;
  return Math.floor(voxels(space.base.patch) / voxels(patch));
}

/** @returns false where memory did not suffice: then the weights are as before */
function trainWithinMemory(...given: Parameters<typeof trainOn>): boolean {
  const [context, state] = given;
  const isTrained = whereMemorySuffices(context.device, () => {
    trainOn(...given);
    return true;
  });
  if (!isTrained) state.optimiser.clearGradients();
  return isTrained === true;
}

function trainOn(
  context: SearchContext,
  state: SearchState,
  child: Architecture,
  batch: Batch,
  learningRate: number,
  lossSum: Tensor,
): void {
  scope(() => {
    const dropSkip = (): boolean => state.random.uniform() < dropPath;
    addInPlace(lossSum, detach(backward(context, state, child, batch, dropSkip)));
    state.optimiser.step(learningRate, largestGradient);
    state.optimiser.clearGradients();
    averageWeights(state);
  });
}

/**
 * Takes the weights after a training step into their moving average (Polyak & Juditsky 1992), which is over a share of the steps so
 * far: what mini-batches and children pull to and fro evens out, and rewards of one step after the other can be compared.
 */
function averageWeights({ averaged, weights, trainingSteps }: SearchState): void {
  const newest = 1 / (1 + averagedShare * trainingSteps);
  noGradient(() => foreachLerp([...averaged.values()], [...weights.values()], newest));
}

/**
 * One training step as a search makes it, by itself: forward, backward, clipping and the optimiser's update.
 * @returns the loss
 */
export function trainOnce(context: SearchContext, state: SearchState, child: Architecture, batch: Batch): number {
  return scope(() => {
    const lossSum = noGradient(() => zeros([], { dataType: 'float32', device: context.device }));
    trainOn(context, state, child, batch, initialLearningRate, lossSum);
    return finiteLoss(lossSum.item());
  });
}

/** Forward and backward of one batch; the gradients stand in the weights afterwards. */
function backward(
  context: SearchContext,
  state: SearchState,
  child: Architecture,
  { image, label, plan }: Pick<Batch, 'image' | 'label' | 'plan'>,
  dropSkip: () => boolean,
): Tensor {
  const { device, dimensions } = context;
  const dataType = dataTypeOf[context.precision];
  const shape = filledShape(plan);
  const size = [plan.crops.length, ...shape];
  // What only the way forward needed is freed before the way back, which frees the rest as it goes.
  const loss = scope(() => {
    const network = childNetwork(child, dimensions);
    const weights = networkWeights(network, state.weights, dataType, { deepSupervision: true });
    const input = toImage(image, [size[0], dimensions.inputChannels, ...shape], device, dataType);
    const logits = forward(network, weights, input, { deepSupervision: true, dropSkip });
    return networkLoss(network, logits, toLabel(label, size, device), context.ignoredValue !== undefined);
  });
  state.optimiser.scaleLoss(loss).backward();
  return loss;
}

/**
 * Seconds of a training step of `child`, without a change to the weights: run on the largest child first, so that memory
 * never grows afterwards.
 */
export function measureStep(
  context: SearchContext,
  state: SearchState,
  child: Architecture,
  thinning?: Thinning,
): number {
  const { depth, height, width } = child.patch;
  const patches = patchesPerBatch(context, child.patch);
  const plan = {
    patch: [depth, height, width] as const,
    crops: Array.from({ length: patches }, () => ({ case: 0, offset: [0, 0, 0] as const, flip: false })),
    ...(thinning && { thinning }),
  };
  const voxels = patches * voxelsOf(filledShape(plan));
  const image = new Float32Array(voxels * context.dimensions.inputChannels);
  const started = performance.now();
  scope(() => {
    backward(context, state, child, { image, label: new Uint8Array(voxels), plan }, () => false).item();
    state.optimiser.clearGradients();
  });
  return (performance.now() - started) / 1000;
}

function finiteLoss(loss: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new Error(
    'The training loss is not a number any more, so the weights are lost: resume from the last finished step, with --precision fp32 if it was another.',
  );
}
