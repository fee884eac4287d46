import { detach, foreachLerp, noGradient, scope, type Tensor } from '@ronasmis/libtorch';
import type { Random } from '../base/random.ts';
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
 * One training step: forward, loss, backward, update.
 *
 * @param update left out, the weights stay as they are and no skip is left out: what a step takes is measured so
 * @returns the loss, a float32 scalar that nothing has waited for
 */
export function trainStep(trainer: Trainer, network: Network, batch: TrainingBatch, update?: Update): Tensor {
  const { weights, optimiser, precision, recipe } = trainer;
  const dropSkip = (): boolean => update !== undefined && update.random.uniform() < recipe.drop_path;
  return scope(() => {
    try {
      // What the forward pass alone needs is freed before the backward pass, which frees the rest as it goes.
      const loss = scope(() => {
        const own = networkWeights(network, weights, dataTypeOf[precision], { deepSupervision: true });
        const logits = forward(network, own, imageOf(batch, trainer), { deepSupervision: true, dropSkip });
        return networkLoss(network, logits, labelOf(batch, trainer), lossOf(trainer));
      });
      optimiser.scaleLoss(loss).backward();
      if (update) optimiser.step(update.learningRate, recipe.gradient_clipping ?? undefined);
      if (update) averageWeights(trainer);
      return detach(loss);
    } finally {
      optimiser.clearGradients();
    }
  });
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
