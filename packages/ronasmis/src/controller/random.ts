import { mean } from '../base/statistics.ts';
import type { SearchSpace } from '../space/space.ts';
import type { Controller } from './controller.ts';
import { drawChild, drawEntropy } from './draw.ts';

/**
 * Random search with shared weights (Li & Talwalkar 2019, "Random search and reproducibility for neural architecture search"): every
 * choice of every child is uniform among the admitted options, and nothing is learnt. What any
 * controller has to beat.
 */
export function randomController(space: SearchSpace): Controller {
  const draw: Controller['proposeForEvaluation'] = (count, random) =>
    Array.from({ length: count }, () => drawChild(space, 0, random));
  return {
    begin: () => {},
    proposeForTraining: draw,
    proposeForEvaluation: draw,
    entropyOf: (children) => mean(children.map((choices) => drawEntropy(space, 0, choices))),
    learn: () => null,
    finalists: () => [],
    state: () => ({ tensors: new Map(), plain: null }),
    restore: () => {},
  };
}
