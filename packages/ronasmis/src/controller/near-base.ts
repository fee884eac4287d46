import type { Recipe } from '../recipe/recipe.ts';
import type { DecisionSpace } from '../space/space.ts';
import type { Controller } from './controller.ts';
import { baseLead } from './draw.ts';
import { unlearning } from './random.ts';

/**
 * Random search near the base child: children are drawn as a policy draws them that has learnt nothing, and so they are until the end. What of a
 * learning controller's gain is its beginning, it gains as well.
 */
export const nearBaseController = (space: DecisionSpace, _seed: number, recipe: Recipe['controller']): Controller =>
  unlearning(space, ({ expectedSteps }) => baseLead(expectedSteps, recipe), [space.baseChoices]);
