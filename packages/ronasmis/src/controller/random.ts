import { admittedOptions, type SearchSpace } from '../space/space.ts';
import type { Choices, Controller } from './controller.ts';
import { drawChild } from './draw.ts';

/**
 * Random search with shared weights (Li & Talwalkar 2019, "Random search and reproducibility for neural architecture search"): every
 * choice of every child is uniform among the admitted options, and nothing is learnt. What any controller has to beat.
 */
export function randomController(space: SearchSpace): Controller {
  const draw: Controller['proposeForJudging'] = (count, random) =>
    Array.from({ length: count }, () => drawChild(space, 0, random));
  return {
    begin: () => {},
    proposeForTraining: draw,
    proposeForJudging: draw,
    learn: (children) => ({ entropy: meanEntropy(space, children), baseline: null }),
    finalists: () => [],
    state: () => ({ tensors: new Map(), plain: null }),
    restore: () => {},
  };
}

/** Mean over the children of the entropy of a uniform choice, summed over the decisions on the child's way: as for a policy. */
function meanEntropy(space: SearchSpace, children: readonly Choices[]): number {
  const entropies = children.flatMap((child) =>
    child.map((_, at) => Math.log(admittedOptions(space, child.slice(0, at)).length)),
  );
  return entropies.reduce((sum, entropy) => sum + entropy, 0) / children.length;
}
