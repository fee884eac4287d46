import { adam, copyInto, joinParts, type Optimiser, partOf } from '@ronasmis/libtorch';
import { z } from 'zod';
import type { SearchSpace } from '../space/space.ts';
import type { Choices, Controller, Outlook } from './controller.ts';
import { baseLead } from './draw.ts';
import { createPolicy, likeliestChild, type Policy, preferChild, sampleChildren } from './policy.ts';

/**
 * Share of the old baseline that is left after one more reward. ENAS has 0.95 or more; but while the shared weights learn,
 * all rewards rise from step to step, and a baseline that lags behind would praise every child.
 */
const baselineDecay = 0.85;
/** Weight of the entropy bonus (ENAS). */
export const entropyWeight = 1e-4;

/** The controller's rate for Adam and the controller steps of a search that ENAS and the paper set it for. */
const enasLearningRate = 3.5e-4;
const paperSteps = 150;
/**
 * The policy is to be decided after two thirds of a search, or in a long one so many controller steps before its end: three passes over the
 * training cases each, and a child that is trained alone for more of them over-fits.
 */
const decidedShare = 2 / 3;
const stepsAlone = 5;
/** How many times its logits are then taken. */
const largestSharpness = 50;

/** What an update changes: a policy, and the space that it decides on. */
export interface Learner {
  readonly policy: Policy;
  readonly optimiser: Optimiser;
  readonly space: SearchSpace;
}

/**
 * Moves a policy towards the children that were better than the baseline.
 * @param advantages of each child: reward - baseline
 * @returns the mean entropy of the policy over these children before the update, in nats
 */
export type PolicyUpdate = (
  learner: Learner,
  children: readonly Choices[],
  advantages: readonly number[],
  sharpness: number,
  learningRate: number,
) => number;

/**
 * What the controllers that learn a policy share: the LSTM, a moving-average baseline (ENAS, Pham et al. 2018) and a rate that goes by
 * the length of the search. They differ in `update`.
 */
export function policyController(space: SearchSpace, seed: number, update: PolicyUpdate): Controller {
  const policy = createPolicy(space, seed);
  const optimiser = adam([...policy.values()], { learningRate: enasLearningRate });
  let baseline: number | null = null;
  const sample: Controller['proposeForJudging'] = (count, random, outlook) =>
    sampleChildren(policy, space, count, random, sharpnessAt(outlook));
  return {
    decidedAfter,
    begin: ({ expectedSteps }) => preferChild(policy, space, space.baseChoices, baseLead(expectedSteps)),
    proposeForTraining: sample,
    proposeForJudging: sample,
    learn: (children, rewards, outlook) => {
      const moved = movedBaseline(baseline, rewards);
      const advantages = rewards.map((reward) => reward - moved);
      baseline = moved;
      const learner = { policy, optimiser, space };
      const learningRate = outlook.isWarmUp ? 0 : learningRateFor(outlook.expectedSteps);
      const entropy = update(learner, children, advantages, sharpnessAt(outlook), learningRate);
      return { entropy, baseline };
    },
    finalists: () => [likeliestChild(policy, space)],
    state: () => ({ tensors: joinParts({ policy, optimiser: optimiser.state() }), plain: { baseline } }),
    restore: ({ tensors, plain }) => {
      copyInto(policy, partOf(tensors, 'policy'));
      optimiser.restore(partOf(tensors, 'optimiser'));
      ({ baseline } = stateSchema.parse(plain));
    },
  };
}

const stateSchema = z.object({ baseline: z.number().nullable() });

/** The baseline after these rewards; before the first ones it is their mean. */
export function movedBaseline(baseline: number | null, rewards: readonly number[]): number {
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const kept = baselineDecay ** rewards.length;
  return kept * (baseline ?? mean) + (1 - kept) * mean;
}

/** Share of a search of so many controller steps after which its policy is decided. */
export function decidedAfter(expectedSteps: number): number {
  return Math.max(decidedShare, 1 - stepsAlone / expectedSteps);
}

/**
 * How sharp the policy is at this point of a search: as it is at first, decided towards the end. The shared weights are trained on what the
 * controller draws, so one that stayed undecided would leave the chosen child half trained.
 */
export function sharpnessAt({ done, expectedSteps }: Outlook): number {
  return 1 / Math.max(1 / largestSharpness, 1 - done / decidedAfter(expectedSteps));
}

/**
 * A shorter search takes larger steps, yet not so much larger as there are fewer: rewards are noisy, and steps of this rate add up to as much
 * noise in a search of any length, while the base child's lead grows as the search gets shorter. Few rewards do not overrule it by chance.
 */
function learningRateFor(expectedSteps: number): number {
  return enasLearningRate * Math.sqrt(Math.max(1, paperSteps / expectedSteps));
}
