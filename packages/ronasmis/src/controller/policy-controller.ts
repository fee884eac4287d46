import { adam, copyInto, joinParts, meanAll, noGradient, type Optimiser, partOf, scope } from '@ronasmis/libtorch';
import { z } from 'zod';
import { mean } from '../base/statistics.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { DecisionSpace } from '../space/space.ts';
import type { Choices, Controller, Outlook } from './controller.ts';
import { baseLead } from './draw.ts';
import { createPolicy, likeliestChild, type Policy, preferChild, sampleChildren, scoreChildren } from './policy.ts';

/** What an update changes. */
export interface Learner {
  readonly policy: Policy;
  readonly optimiser: Optimiser;
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
export function policyController(
  space: DecisionSpace,
  seed: number,
  recipe: Recipe['controller'],
  update: PolicyUpdate,
): Controller {
  const policy = createPolicy(space, seed, recipe);
  const { weights } = policy;
  const optimiser = adam([...weights.values()], { learningRate: recipe.learning_rate });
  let baseline: number | null = null;
  const sample: Controller['proposeForEvaluation'] = (count, random, outlook) =>
    sampleChildren(policy, random, { count, sharpness: sharpnessAt(outlook, recipe) });
  return {
    begin: ({ expectedSteps }) => preferChild(policy, space.baseChoices, baseLead(expectedSteps, recipe)),
    proposeForTraining: sample,
    proposeForEvaluation: sample,
    distributionOf: (children, outlook) =>
      noGradient(() =>
        scope(() => {
          const { entropy, probabilities } = scoreChildren(policy, children, sharpnessAt(outlook, recipe));
          return { entropy: meanAll(entropy).item(), probabilities };
        }),
      ),
    learn: (children, outlook) => {
      const rewards = children.map(({ reward }) => reward);
      const moved = movedBaseline(baseline, rewards, recipe);
      baseline = moved;
      update(
        { policy, optimiser },
        {
          children: children.map(({ choices }) => choices),
          advantages: rewards.map((reward) => reward - moved),
          sharpness: sharpnessAt(outlook, recipe),
          learningRate: learningRateFor(outlook.expectedSteps, recipe),
        },
      );
      return baseline;
    },
    finalists: () => [likeliestChild(policy)],
    state: () => ({ tensors: joinParts({ policy: weights, optimiser: optimiser.state() }), plain: { baseline } }),
    restore: ({ tensors, plain }) => {
      copyInto(weights, partOf(tensors, 'policy'));
      optimiser.restore(partOf(tensors, 'optimiser'));
      ({ baseline } = stateSchema.parse(plain));
    },
  };
}

const stateSchema = z.object({ baseline: z.number().nullable() });

/** The baseline after these rewards; before the first ones it is their mean. */
export function movedBaseline(
  baseline: number | null,
  rewards: readonly number[],
  { baseline_decay }: Pick<Recipe['controller'], 'baseline_decay'>,
): number {
  const kept = baseline_decay ** rewards.length;
  const average = mean(rewards);
  return kept * (baseline ?? average) + (1 - kept) * average;
}

/** What of a recipe a policy decides by. */
type Deciding = Pick<Recipe['controller'], 'decided_share' | 'steps_alone' | 'largest_sharpness'>;

/** Share of a search of so many controller steps after which its policy is decided; infinite where it never is. */
export function decidedAfter(expectedSteps: number, { decided_share, steps_alone }: Deciding): number {
  if (decided_share === null) return Number.POSITIVE_INFINITY;
  return Math.max(decided_share, 1 - steps_alone / expectedSteps);
}

/**
 * How sharp the policy is at this point of a search: as it is at first, decided towards the end. The shared weights are trained on what the
 * controller draws, so one that stayed undecided would leave the chosen child half trained.
 */
export function sharpnessAt({ done, expectedSteps }: Outlook, recipe: Deciding): number {
  return 1 / Math.max(1 / recipe.largest_sharpness, 1 - done / decidedAfter(expectedSteps, recipe));
}

/**
 * A shorter search takes larger steps, yet not so much larger as there are fewer: rewards are noisy, and steps of this rate add up to as much
 * noise in a search of any length, while the base child's lead grows as the search gets shorter. Few rewards do not overrule it by chance.
 */
function learningRateFor(expectedSteps: number, { learning_rate, learning_rate_steps }: Recipe['controller']): number {
  if (learning_rate_steps === null) return learning_rate;
  return learning_rate * Math.sqrt(Math.max(1, learning_rate_steps / expectedSteps));
}
