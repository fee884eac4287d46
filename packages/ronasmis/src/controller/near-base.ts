import { mean } from '../base/statistics.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { SearchSpace } from '../space/space.ts';
import type { Controller, Outlook } from './controller.ts';
import { baseLead, drawChild, drawEntropy } from './draw.ts';

/**
 * Random search near the base child: children are drawn as a policy draws them that has learnt nothing, and so they are until the end. What of a
 * learning controller's gain is its beginning, it gains as well.
 */
export function nearBaseController(space: SearchSpace, _seed: number, recipe: Recipe['controller']): Controller {
  const leadAt = ({ expectedSteps }: Outlook): number => baseLead(expectedSteps, recipe);
  const draw: Controller['proposeForEvaluation'] = (count, random, outlook) =>
    Array.from({ length: count }, () => drawChild(space, leadAt(outlook), random));
  return {
    begin: () => {},
    proposeForTraining: draw,
    proposeForEvaluation: draw,
    entropyOf: (children, outlook) => mean(children.map((choices) => drawEntropy(space, leadAt(outlook), choices))),
    learn: () => null,
    finalists: () => [space.baseChoices],
    state: () => ({ tensors: new Map(), plain: null }),
    restore: () => {},
  };
}
