import { mean } from '../base/statistics.ts';
import type { DecisionSpace } from '../space/space.ts';
import type { Choices, Controller, Outlook } from './controller.ts';
import { drawChild, drawEntropy } from './draw.ts';

/**
 * Random search with shared weights (Li & Talwalkar 2019, "Random search and reproducibility for neural architecture search"): every
 * choice of every child is uniform among the admitted options, and nothing is learnt. What any
 * controller has to beat.
 */
export const randomController = (space: DecisionSpace): Controller => unlearning(space, () => 0, []);

/**
 * A controller that learns nothing.
 * @param leadAt by how many logits the base child's choices lead when children are drawn
 * @param finalists children that are evaluated in the end as well
 */
export function unlearning(
  space: DecisionSpace,
  leadAt: (outlook: Outlook) => number,
  finalists: readonly Choices[],
): Controller {
  const draw: Controller['proposeForEvaluation'] = (count, random, outlook) =>
    Array.from({ length: count }, () => drawChild(space, leadAt(outlook), random));
  return {
    begin: () => {},
    proposeForTraining: draw,
    proposeForEvaluation: draw,
    distributionOf: (children, outlook) => ({
      entropy: mean(children.map((choices) => drawEntropy(space, leadAt(outlook), choices))),
    }),
    learn: () => null,
    finalists: () => finalists,
    state: () => ({ tensors: new Map(), plain: null }),
    restore: () => {},
  };
}
