import { add, meanAll, multiply, multiplyScalar, negate, scope, sum, tensor } from '@ronasmis/libtorch';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import type { DecisionSpace } from '../space/space.ts';
import type { Controller } from './controller.ts';
import { scoreChildren } from './policy.ts';
import { type PolicyUpdate, policyController } from './policy-controller.ts';

/** The paper's controller: an LSTM that learns by REINFORCE with a moving-average baseline, as in ENAS (Pham et al. 2018). */
export function reinforceController(
  space: DecisionSpace,
  seed: number,
  recipe: Recipe['controller'] = defaultRecipe.controller,
): Controller {
  return policyController(space, seed, recipe, reinforce);
}

/**
 * One step of REINFORCE (Williams 1992) with an entropy bonus, as ENAS trains its controller: raises the probability of children in
 * proportion to their advantage.
 */
export const reinforce: PolicyUpdate = ({ policy, optimiser }, { children, advantages, sharpness, learningRate }) =>
  scope(() => {
    const { logProbabilities, entropy } = scoreChildren(policy, children, sharpness);
    const weights = tensor(Float32Array.from(advantages), [advantages.length]);
    const praised = meanAll(multiply(sum(logProbabilities, [0]), weights));
    negate(add(praised, multiplyScalar(meanAll(entropy), policy.recipe.entropy_weight))).backward();
    optimiser.step(learningRate);
    optimiser.clearGradients();
  });
