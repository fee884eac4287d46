import { adam, copyInto, joinParts, meanAll, noGradient, type Optimiser, partOf, scope } from '@ronasmis/libtorch';
import { z } from 'zod';
import type { SearchSpace } from '../space/space.ts';
import {
  baselineDecay,
  decidedShare,
  enasLearningRate,
  largestSharpness,
  paperSteps,
  stepsAlone,
} from './constants.ts';
import type { Choices, Controller, Outlook } from './controller.ts';
import { baseLead } from './draw.ts';
import { createPolicy, likeliestChild, type Policy, preferChild, sampleChildren, scoreChildren } from './policy.ts';

/** What an update changes: a policy, and the space that it decides on. */
export interface Learner {
  readonly policy: Policy;
  readonly optimiser: Optimiser;
  readonly space: SearchSpace;
}

/** What a policy is to learn from a step's children. */
export interface Lesson {
  readonly children: readonly Choices[];
  /** Of each child: reward - baseline. */
  readonly advantages: readonly number[];
  /** That they were drawn at. */
  readonly sharpness: number;
  readonly learningRate: number;
}

/** Moves a policy towards the children that were better than the baseline. */
export type PolicyUpdate = (learner: Learner, lesson: Lesson) => void;

/**
 * What the controllers that learn a policy share: the LSTM, a moving-average baseline (ENAS, Pham et al. 2018) and a rate that goes by
 * the length of the search. They differ in `update`.
 */
export function policyController(space: SearchSpace, seed: number, update: PolicyUpdate): Controller {
  const policy = createPolicy(space, seed);
  const optimiser = adam([...policy.values()], { learningRate: enasLearningRate });
  let baseline: number | null = null;
  const sample: Controller['proposeForJudging'] = (count, random, outlook) =>
    sampleChildren(policy, space, random, { count, sharpness: sharpnessAt(outlook) });
  return {
    begin: ({ expectedSteps }) => preferChild(policy, space, space.baseChoices, baseLead(expectedSteps)),
    proposeForTraining: sample,
    proposeForJudging: sample,
    entropyOf: (children, outlook) =>
      noGradient(() =>
        scope(() => meanAll(scoreChildren(policy, space, children, sharpnessAt(outlook)).entropy).item()),
      ),
    learn: (children, outlook) => {
      const rewards = children.map(({ reward }) => reward);
      const moved = movedBaseline(baseline, rewards);
      baseline = moved;
      update(
        { policy, optimiser, space },
        {
          children: children.map(({ choices }) => choices),
          advantages: rewards.map((reward) => reward - moved),
          sharpness: sharpnessAt(outlook),
          learningRate: learningRateFor(outlook.expectedSteps),
        },
      );
      return baseline;
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
