import type { Random } from '../base/random.ts';
import { sum } from '../base/statistics.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { admittedOptions, type DecisionSpace } from '../space/space.ts';
import type { Choices } from './controller.ts';

/**
 * By how many logits each of the base child's choices leads when a search of so many controller steps begins. A controller that
 * learns in a few steps only can hardly tell choices apart, and children that differ much teach their shared weights slowly: so a
 * short search begins near the U-Net that a person would start from.
 *
 * So does a long one, less closely, where the paper begins uniform: rewards favour what the weights were trained for, whatever a child
 * alone would be worth, and a policy that is led away by that early does not come back (docs/decisions/search.md).
 */
export function baseLead(
  expectedSteps: number,
  { base_lead: [least, most], base_lead_steps }: Recipe['controller'],
): number {
  return Math.min(most, Math.max(least, base_lead_steps / expectedSteps));
}

/**
 * A child drawn decision by decision among the options that its space admits, the base child's leading by `lead` logits: uniform at 0. What a policy that has learnt nothing draws, without the policy.
 */
export function drawChild(space: DecisionSpace, lead: number, random: Random): Choices {
  const choices: number[] = [];
  while (choices.length < space.decisions.length) {
    const options = weighedOptions(space, choices, lead);
    const probabilities = options.map(({ probability }) => probability);
    choices.push(options[sampleIndex(probabilities, random)].option);
  }
  return choices;
}

/** An index, drawn as often as its probability says. They may sum to a little less than 1, as rounding leaves them. */
export function sampleIndex(probabilities: readonly number[], random: Random): number {
  let left = random.uniform();
  const found = probabilities.findIndex((probability) => {
    left -= probability;
    return left < 0;
  });
  return found >= 0 ? found : probabilities.findLastIndex((probability) => probability > 0);
}

/** Entropy, in nats, of what {@link drawChild} drew this child from, summed over the decisions on its way. */
export function drawEntropy(space: DecisionSpace, lead: number, child: Choices): number {
  return child
    .flatMap((_, at) => weighedOptions(space, child.slice(0, at), lead))
    .reduce((sum, { probability }) => sum - probability * Math.log(probability), 0);
}

/** What the decision after `choices` can be, and how likely each is. */
function weighedOptions(
  space: DecisionSpace,
  choices: Choices,
  lead: number,
): readonly { readonly option: number; readonly probability: number }[] {
  const at = choices.length;
  const advantage = Math.exp(lead);
  const weighed = admittedOptions(space, choices).map((option) => ({
    option,
    weight: option === space.baseChoices[at] ? advantage : 1,
  }));
  const total = sum(weighed.map(({ weight }) => weight));
  return weighed.map(({ option, weight }) => ({ option, probability: weight / total }));
}
