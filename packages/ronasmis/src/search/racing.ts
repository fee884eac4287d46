import { setImmediate } from 'node:timers/promises';
import { copyInPlace, noGradient } from '@ronasmis/libtorch';
import { levels, type ThickSlices } from '../architecture/dimensions.ts';
import { openBatches } from '../batches/batches.ts';
import { weight } from '../network/weights.ts';
import type { RunRecord } from '../run/run-record.ts';
import { hasOneChild } from '../space/spaces.ts';
import { type MiniBatches, type Pace, train } from '../training/train.ts';
import { freeTrainer, type Trainer } from '../training/trainer.ts';
import { ownSteps } from './planned-steps.ts';
import type { Prepared } from './preparing.ts';
import { createTrainingState, type TrainingState } from './state.ts';
import { type SearchHooks, stopTogether } from './watching.ts';

/**
 * The base child of the paper's Table 1, whose kernels are 3x3x3 and which pools the depth as early as it can; and one of 1x3x3 kernels, which pools it
 * before its two lowest levels alone.
 */
const contestants: readonly ThickSlices[] = [
  { flatLevels: 0, unpooledLevels: 0 },
  { flatLevels: levels, unpooledLevels: levels - 3 },
];

/** Whether a search has to find out by itself what to do about thick slices: no rule says it, and a race may. */
export function isRaceDue({ settings, context: { recipe }, plan }: Prepared): boolean {
  const { network, search } = recipe;
  const isDecided = network.thick_slice !== null || settings.thickSlices !== undefined;
  return !isDecided && search.race_share > 0 && plan.space !== undefined && !hasOneChild(plan.space);
}

/** What a search begins with. */
interface Begun {
  readonly state: TrainingState;
}

/** How a search begins that a race has decided for. */
interface Raced<One extends Begun> {
  readonly prepared: Prepared;
  readonly begun: One;
  /** What each contestant came to. */
  readonly race: NonNullable<RunRecord['race']>;
}

/**
 * Finds what to do about thick slices: base children that differ in nothing else are each trained for the same time, and the search begins with
 * the weights of the one whose training loss has fallen lowest. Kernels of both shapes share no weights that would serve either; and in the
 * first minutes the Dice of a few cases tells two networks apart no better than two beginnings of one, where the loss is a mean over hundreds of
 * patches (docs/experiments/headroom.md).
 * @throws an AbortError where `hooks.signal` stops it; nothing is left of it then
 */
export async function raceKernels<One extends Begun>(
  prepared: Prepared,
  begin: (prepared: Prepared) => One,
  hooks: SearchHooks,
): Promise<Raced<One>> {
  const batches = openBatches(prepared.context.cases);
  const race: { readonly flat_levels: number; readonly loss: number }[] = [];
  let best: { readonly trainer: Trainer; readonly thickSlices: ThickSlices; readonly loss: number } | undefined;
  try {
    for (const thickSlices of contestants) {
      hooks.onProgress?.({ phase: 'race', step: 0, done: race.length, total: contestants.length });
      const own = prepared.withThickSlices(thickSlices);
      const state = createTrainingState(own.context, own.plan.base, own.settings.seed);
      const { trainer } = state;
      const loss = await lossOf(own, state, batches, hooks).catch((error) => {
        freeTrainer(trainer);
        throw error;
      });
      race.push({ flat_levels: thickSlices.flatLevels, loss });
      if (best !== undefined) freeTrainer(loss < best.loss ? best.trainer : trainer);
      if (best === undefined || loss < best.loss) best = { trainer, thickSlices, loss };
    }
    if (best === undefined) throw new Error('Nobody took part in the race.');
    const winner = prepared.withThickSlices(best.thickSlices);
    const begun = begin(winner);
    goOnFrom(begun.state.trainer, best.trainer);
    return { prepared: winner, begun, race };
  } finally {
    if (best !== undefined) freeTrainer(best.trainer);
    await batches.close();
  }
}

/** Gives the weights that children share the values that the base child has learnt. */
function goOnFrom(shared: Trainer, { weights, averaged, steps }: Trainer): void {
  noGradient(() => {
    for (const [name, tensor] of weights) copyInPlace(weight(shared.weights, name), tensor);
    for (const [name, tensor] of averaged) copyInPlace(weight(shared.averaged, name), tensor);
  });
  shared.steps = steps;
}

/** Trains the base child for its part of the race. Gives the mean training loss of the second half of it, the same on all ranks. */
async function lossOf(
  { settings, context, plan }: Prepared,
  state: TrainingState,
  batches: MiniBatches['batches'],
  hooks: SearchHooks,
): Promise<number> {
  const { team, downsampling, recipe, split } = context;
  const augmenting = { when: settings.augment, curve: [], isOn: settings.augment === 'on' };
  const steps = ownSteps({ context, state, augmenting, architecture: plan.base }, downsampling);
  const { timeSeconds = Number.POSITIVE_INFINITY, epochs = Number.POSITIVE_INFINITY } = settings;
  const { race_share, training_epochs } = recipe.search;
  const share = race_share / contestants.length / 2;
  const stepsPerEpoch = (training_epochs * split.training.length) / (recipe.training.mini_batches ?? 1);
  const planned = Math.ceil(share * epochs * stepsPerEpoch);
  const half = (): Pace => {
    const until = performance.now() + 1000 * share * timeSeconds;
    return {
      planned,
      isEnough: (done) => done >= planned || team.fromFirst(() => performance.now() >= until),
      fraction: () => 0,
      after: async () => {
        await setImmediate();
        stopTogether(team, hooks);
      },
    };
  };
  const feed: MiniBatches = { steps, batches, random: state.random, team };
  await train(state.trainer, feed, half());
  const { loss } = await train(state.trainer, feed, half());
  return loss;
}
