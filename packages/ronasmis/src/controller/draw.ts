import type { Random } from '../random.ts';
import { admittedOptions, type SearchSpace } from '../space/space.ts';
import type { Choices } from './controller.ts';

/** Of the base child's choices before anything is learnt, in logits: at most, and as a sum over the steps of a search. */
const largestLead = 4;
const leadSteps = 12;

/**
 * By how many logits each of the base child's choices leads when a search of so many controller steps begins. A controller that
 * learns in a few steps only can hardly tell choices apart, and children that differ much teach their shared weights slowly: so a
 * short search begins near the U-Net that a person would start from, and one of the paper's 150 steps nearly uniform.
 */
export function baseLead(expectedSteps: number): number {
  return Math.min(largestLead, leadSteps / expectedSteps);
}

/**
 * A child drawn decision by decision among the options that its space admits, the base child's leading by `lead` logits: uniform at
 * 0. What a policy that has learnt nothing draws, without the policy.
 */
export function drawChild(space: SearchSpace, lead: number, random: Random): Choices {
  const choices: number[] = [];
  for (const at of space.decisions.keys()) {
    const admitted = admittedOptions(space, choices);
    const weights = admitted.map((option) => (option === space.baseChoices[at] ? Math.exp(lead) : 1));
    let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    const found = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    // Rounding may leave a little after the last one.
    choices.push(admitted[found >= 0 ? found : admitted.length - 1]);
  }
  return choices;
}
