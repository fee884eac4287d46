import { addInPlace, multiplyScalar, noGradient, scope, type Tensor, zeros } from '@ronasmis/libtorch';
import { UserError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Batch, Batches } from '../batches/batches.ts';
import type { BatchPlan } from '../batches/fill-batch.ts';
import type { Network } from '../network/network.ts';
import { trainedWeights } from '../network/weights.ts';
import type { Team } from '../ranks/team.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { whereMemorySuffices } from './out-of-memory.ts';
import { addGradients, dropSkips, updateWeights } from './step.ts';
import type { Trainer } from './trainer.ts';

/** What a training step learns from: the patches of one mini-batch or more, and the network that is trained on all of them. */
export interface PlannedStep {
  readonly network: Network;
  readonly plans: readonly BatchPlan[];
}

/** Where mini-batches come from. */
export interface MiniBatches {
  /** Drawn one ahead, while the one before is trained on. */
  readonly steps: Iterator<PlannedStep, never>;
  /** The thread that fills them. */
  readonly batches: Batches;
  readonly random: Random;
  /** By whom the mini-batches of a step are shared: all plan the same steps. */
  readonly team: Team;
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
export async function train(trainer: Trainer, feed: MiniBatches, pace: Pace): Promise<Trained> {
  const { team } = feed;
  const queue = openQueue(feed);
  const lossSum = noGradient(() => zeros([], { dataType: 'float32', device: trainer.device }));
  const started = performance.now();
  let [done, leftOut] = [0, 0];
  try {
    while (done === 0 || !pace.isEnough(done)) {
      const step = queue.next(done + 1 === pace.planned);
      const learningRate = learningRateAt(trainer.recipe, pace.fraction(done));
      try {
        const isLearnt = await learnFrom(trainer, step, { ...feed, lossSum });
        if (isLearnt) updateWeights(trainer, learningRate);
        else leftOut += 1;
      } finally {
        trainer.optimiser.clearGradients();
      }
      done += 1;
      trainer.steps += 1;
      await pace.after(done);
    }
    await queue.empty();
    const secondsPerStep = (performance.now() - started) / 1000 / done;
    team.sum(lossSum);
    return { loss: meanLoss(lossSum.item(), done, leftOut), leftOut, secondsPerStep };
  } finally {
    lossSum.free();
  }
}

/** A step, and this process's mini-batches of it. */
interface SharedStep {
  readonly network: Network;
  /** Of the whole step. */
  readonly miniBatches: number;
  /** How many are this process's. */
  readonly own: number;
  /** The next of these; the one after it, of this step or the next, is made while it is trained on. */
  readonly take: () => Promise<Batch>;
}

/** Plans steps, and has their mini-batches made one ahead. */
function openQueue({ steps, batches, team }: MiniBatches) {
  interface Coming {
    readonly network: Network;
    readonly miniBatches: number;
    readonly plans: readonly BatchPlan[];
  }
  const plan = (): Coming => {
    const { network, plans } = steps.next().value;
    const own = team.share(plans);
    if (own.length > 0) batches.request(own[0]);
    return { network, miniBatches: plans.length, plans: own };
  };
  let coming: Coming | undefined;
  return {
    /** @param isLast whether none is to follow */
    next(isLast: boolean): SharedStep {
      const { network, miniBatches, plans } = coming ?? plan();
      let taken = 0;
      const ask = (): void => {
        if (taken < plans.length) batches.request(plans[taken]);
        else coming = isLast ? undefined : plan();
      };
      if (plans.length === 0) ask();
      const take = async (): Promise<Batch> => {
        const batch = await batches.next();
        taken += 1;
        ask();
        return batch;
      };
      return { network, miniBatches, own: plans.length, take };
    },
    /** Takes back what was asked for and is not trained on. */
    async empty(): Promise<void> {
      if (coming !== undefined && coming.plans.length > 0) (await batches.next()).release();
    },
  };
}

/** What the mini-batches of a step are learnt with. */
interface LearningStep extends Pick<MiniBatches, 'random' | 'team'> {
  /** To which this process's part of the step's loss is added. */
  readonly lossSum: Tensor;
}

/**
 * Adds up the gradients of a step's mini-batches, one after the other, and with the last one averages them over the team. Gives whether memory
 * sufficed for all of them, everywhere.
 */
async function learnFrom(
  trainer: Trainer,
  { network, miniBatches, own, take }: SharedStep,
  { random, team, lossSum }: LearningStep,
): Promise<boolean> {
  const dropping = dropSkips(trainer.recipe, random);
  const average = <Result>(body: () => Result): Result =>
    team.averageGradients(() => trainedWeights(network, trainer.weights), body);
  const losses: Tensor[] = [];
  if (own === 0) average(() => {});
  for (let at = 0; at < own; at += 1) {
    const batch = await take();
    // What the ranks have is averaged, not added up.
    const learning = { dropSkip: dropping(), share: team.size / miniBatches };
    const add = (): Tensor => addGradients(trainer, network, batch, learning);
    const loss = await whereMemorySuffices(trainer.device, () => (at + 1 === own ? average(add) : add()));
    if (loss) losses.push(loss);
    batch.release();
  }
  const isWhole = team.gather(losses.length === own).every((suffices) => suffices);
  for (const loss of losses) {
    if (isWhole) noGradient(() => scope(() => addInPlace(lossSum, multiplyScalar(loss, 1 / miniBatches))));
    loss.free();
  }
  return isWhole;
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
