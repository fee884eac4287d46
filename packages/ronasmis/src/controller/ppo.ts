import {
  add,
  clamp,
  exponential,
  meanAll,
  minimum,
  multiply,
  multiplyScalar,
  negate,
  noGradient,
  scope,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '@ronasmis/libtorch';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import type { DecisionSpace } from '../space/space.ts';
import type { Controller } from './controller.ts';
import { scoreChildren } from './policy.ts';
import { type PolicyUpdate, policyController } from './policy-controller.ts';

/**
 * The controller of the paper's predecessors (Zoph et al. 2018, "Learning transferable architectures"): the same LSTM, taught by proximal
 * policy optimisation (Schulman et al. 2017, "Proximal policy optimization algorithms").
 */
export function ppoController(
  space: DecisionSpace,
  seed: number,
  recipe: Recipe['controller'] = defaultRecipe.controller,
): Controller {
  return policyController(space, seed, recipe, proximalUpdate);
}

/**
 * A few passes over the children of one step, each up the gradient of the clipped objective and an entropy bonus. The first pass is
 * REINFORCE's step; the others get more out of children that were dear to evaluate.
 */
export const proximalUpdate: PolicyUpdate = (
  { policy, optimiser },
  { children, advantages, sharpness, learningRate },
) =>
  scope(() => {
    const drawn = noGradient(() => scope(() => scoreChildren(policy, children, sharpness).logProbabilities));
    const weights = tensor(Float32Array.from(advantages), [advantages.length]);
    for (let pass = 0; pass < policy.recipe.ppo_epochs; pass += 1) {
      scope(() => {
        const { logProbabilities, entropy } = scoreChildren(policy, children, sharpness);
        const objective = clippedObjective(logProbabilities, drawn, weights, policy.recipe.ppo_clipping);
        negate(add(objective, multiplyScalar(meanAll(entropy), policy.recipe.entropy_weight))).backward();
        optimiser.step(learningRate);
        optimiser.clearGradients();
      });
    }
  });

/**
 * The clipped surrogate objective (Schulman et al. 2017, equation 7), a decision being an action and its child's advantage being that of
 * each: the mean over the children of what their decisions are worth together.
 *
 * @param logProbabilities now, of each decision of each child [decisions, children]
 * @param drawn the same when the children were drawn
 * @param advantages of each child [children]
 * @param clipping how far the probability of a decision may move before it no longer pays
 */
export function clippedObjective(
  logProbabilities: Tensor,
  drawn: Tensor,
  advantages: Tensor,
  clipping: number,
): Tensor {
  const ratios = exponential(subtract(logProbabilities, drawn));
  const clipped = clamp(ratios, { min: 1 - clipping, max: 1 + clipping });
  const worth = minimum(multiply(ratios, advantages), multiply(clipped, advantages));
  return meanAll(sum(worth, [0]));
}
