import { addInPlace, noGradient, type Tensor, zeros } from '@ronasmis/libtorch';
import { UserError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Batches } from '../batches/batches.ts';
import type { BatchPlan } from '../batches/fill-batch.ts';
import type { Network } from '../network/network.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { whereMemorySuffices } from './out-of-memory.ts';
import { trainStep } from './step.ts';
import type { Trainer } from './trainer.ts';

/** Patches to train on, and the network that is trained on them. */
export interface MiniBatch {
  readonly network: Network;
  readonly plan: BatchPlan;
}

/** Where mini-batches come from. */
export interface MiniBatches {
  /** Drawn one ahead, while the one before is trained on. */
  readonly plans: Iterator<MiniBatch, never>;
  /** The thread that fills them. */
  readonly batches: Batches;
  readonly random: Random;
}

/** How long is trained and how the rate falls, as told by whoever knows the time; `done` are the training steps so far. */
export interface Pace {
  /** Training steps that are planned; mostly none follows. */
  readonly planned: number;
  isEnough(done: number): boolean;
  /** How much of the whole training is done, 0 to 1: the learning rate goes by it. */
  fraction(done: number): number;
  /** Awaited after each training step; rejects where the training is to stop. */
  after(done: number): Promise<void>;
}

/** What a training came to. */
export interface Trained {
  /** Mean of its training steps. */
  readonly loss: number;
  /** Mini-batches that memory did not suffice for. */
  readonly leftOut: number;
  /** Of a training step, its batch included. */
  readonly secondsPerStep: number;
}

/** The learning rate after a share of the training, 0 to 1: it falls to 0 by a polynomial, as nnU-Net's does (`PolyLRScheduler`). */
export function learningRateAt({ learning_rate, schedule_power }: Recipe['training'], fraction: number): number {
  return learning_rate * (1 - fraction) ** schedule_power;
}

/**
 * Trains networks on one mini-batch after the other, one at least. Where memory does not suffice for a network after all, its mini-batch
 * is left out.
 *
 * @throws UserError where memory sufficed for none of them
 */
export async function train(trainer: Trainer, { plans, batches, random }: MiniBatches, pace: Pace): Promise<Trained> {
  const request = (): Network => {
    const { network, plan } = plans.next().value;
    batches.request(plan);
    return network;
  };
  const lossSum = noGradient(() => zeros([], { dataType: 'float32', device: trainer.device }));
  const started = performance.now();
  let [done, leftOut] = [0, 0];
  let requested: Network | undefined;
  try {
    while (done === 0 || !pace.isEnough(done)) {
      const network = requested ?? request();
      const batch = await batches.next();
      // The next batch is made while this one is trained on.
      requested = done + 1 === pace.planned ? undefined : request();
      const update = { learningRate: learningRateAt(trainer.recipe, pace.fraction(done)), random };
      const loss = await whereMemorySuffices(trainer.device, () => trainStep(trainer, network, batch, update));
      if (loss === undefined) leftOut += 1;
      else addAndFree(lossSum, loss);
      batch.release();
      done += 1;
      trainer.steps += 1;
      await pace.after(done);
    }
    if (requested) (await batches.next()).release();
    const secondsPerStep = (performance.now() - started) / 1000 / done;
    return { loss: meanLoss(lossSum.item(), done, leftOut), leftOut, secondsPerStep };
  } finally {
    lossSum.free();
  }
}

function addAndFree(sum: Tensor, loss: Tensor): void {
  addInPlace(sum, loss);
  loss.free();
}

function meanLoss(sum: number, done: number, leftOut: number): number {
  if (leftOut === done) {
    throw new UserError(
      `Memory did not suffice for any of ${done} training steps, so nothing was learnt: end what else takes memory and resume, ` +
        'or search into a new folder with less --memory, so that smaller networks are trained.',
    );
  }
  const loss = sum / (done - leftOut);
  if (Number.isFinite(loss)) return loss;
  throw new Error(
    'The training loss is not a number any more, so the weights are lost: resume from the last finished step, with --precision fp32 if it was another.',
  );
}
