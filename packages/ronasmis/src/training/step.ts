import { detach, foreachLerp, multiplyScalar, noGradient, scope, type Tensor } from '@ronasmis/libtorch';
import { createRandom, type Random } from '../base/random.ts';
import type { Batch } from '../batches/batches.ts';
import { filledShape } from '../batches/fill-batch.ts';
import { dataTypeOf } from '../engine/device.ts';
import { toImage, toLabel } from '../engine/to-device.ts';
import { forward } from '../network/forward.ts';
import { type LossOptions, networkLoss } from '../network/loss.ts';
import type { Network } from '../network/network.ts';
import { networkWeights } from '../network/weights.ts';
import type { Trainer } from './trainer.ts';

/** The arrays of a batch and the shapes they have. */
export type TrainingBatch = Pick<Batch, 'image' | 'label' | 'plan'>;

/** How a training step changes the weights. */
export interface Update {
  readonly learningRate: number;
  /** Decides which skips are left out. */
  readonly random: Random;
}

/**
 * One training step on one mini-batch: forward, loss, backward, update.
 *
 * @param update left out, the weights stay as they are and no skip is left out: what a step takes is measured so
 * @returns the loss, a float32 scalar that nothing has waited for
 */
export function trainStep(trainer: Trainer, network: Network, batch: TrainingBatch, update?: Update): Tensor {
  const dropSkip = update && dropSkips(trainer.recipe, update.random)();
  try {
    const loss = addGradients(trainer, network, batch, { ...(dropSkip && { dropSkip }) });
    if (update) updateWeights(trainer, update.learningRate);
    return loss;
  } finally {
    trainer.optimiser.clearGradients();
  }
}

/** How a mini-batch is learnt from. */
export interface Learning {
  /** Whether the next skip is left out; none is where it is left out. */
  readonly dropSkip?: () => boolean;
  /** Of the step's mini-batches: 1 where it is left out. */
  readonly share?: number;
}

/**
 * Forward, loss and backward: adds the gradients of the loss to those that the weights have.
 * @returns the loss, a float32 scalar that nothing has waited for
 */
export function addGradients(
  trainer: Trainer,
  network: Network,
  batch: TrainingBatch,
  { dropSkip = () => false, share = 1 }: Learning = {},
): Tensor {
  const { weights, optimiser, precision } = trainer;
  return scope(() => {
    // What the forward pass alone needs is freed before the backward pass, which frees the rest as it goes.
    const loss = scope(() => {
      const own = networkWeights(network, weights, dataTypeOf[precision], { deepSupervision: true });
      const logits = forward(network, own, imageOf(batch, trainer), { deepSupervision: true, dropSkip });
      return networkLoss(network, logits, labelOf(batch, trainer), lossOf(trainer));
    });
    optimiser.scaleLoss(share === 1 ? loss : multiplyScalar(loss, share)).backward();
    return detach(loss);
  });
}

/** Updates the weights by their gradients, and their average. */
export function updateWeights(trainer: Trainer, learningRate: number): void {
  const { optimiser, recipe } = trainer;
  optimiser.step(learningRate, recipe.gradient_clipping ?? undefined);
  averageWeights(trainer);
}

/**
 * Which skips a step leaves out: a function for each of its mini-batches, all of which leave out the same ones, as the patches of one mini-batch do.
 * @returns what makes that function; it takes one number of `random`, however many skips there are
 */
export function dropSkips({ drop_path }: Trainer['recipe'], random: Random): () => () => boolean {
  const seed = random.integer(2 ** 31);
  return () => {
    const own = createRandom(seed);
    return () => own.uniform() < drop_path;
  };
}

/**
 * Takes the weights after an update into their moving average (Polyak & Juditsky 1992), which is over a share of the steps so far: what
 * mini-batches and children pull to and fro evens out, and rewards of one step after the other can be compared.
 */
function averageWeights({ averaged, weights, steps, recipe }: Trainer): void {
  const newest = 1 / (1 + recipe.averaged_share * steps);
  noGradient(() => foreachLerp([...averaged.values()], [...weights.values()], newest));
}

const lossOf = ({ hasIgnored, recipe }: Trainer): LossOptions => ({
  hasIgnored,
  crossEntropy: recipe.loss === 'dice_cross_entropy',
  batchDice: recipe.batch_dice,
});

/** `[batch, channel, depth, height, width]` */
function imageOf({ image, label, plan }: TrainingBatch, { device, precision }: Trainer): Tensor {
  const shape = [plan.crops.length, image.length / label.length, ...filledShape(plan)];
  return toImage(image, shape, device, dataTypeOf[precision]);
}

/** `[batch, depth, height, width]` */
function labelOf({ label, plan }: TrainingBatch, { device }: Trainer): Tensor {
  return toLabel(label, [plan.crops.length, ...filledShape(plan)], device);
}
