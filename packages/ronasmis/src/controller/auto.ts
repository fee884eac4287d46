import { z } from 'zod';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import type { DecisionSpace } from '../space/space.ts';
import type { Choices, Controller } from './controller.ts';
import { reinforceController } from './reinforce.ts';

const stateSchema = z.object({ explores: z.boolean(), plain: z.unknown() });

/**
 * The paper's controller where a search is long enough for it to choose anything (`controller.fewest_steps`); in a shorter one every child is the base
 * child. What shared weights learn from other children costs the base child one to three points there, and nothing that was chosen in so few
 * steps has paid them back (docs/experiments/exploring.md).
 */
export function autoController(
  space: DecisionSpace,
  seed: number,
  recipe: Recipe['controller'] = defaultRecipe.controller,
): Controller {
  const exploring = reinforceController(space, seed, recipe);
  const resting = alwaysProposing(space.baseChoices);
  let explores = true;
  const current = (): Controller => (explores ? exploring : resting);
  return {
    begin: (outlook) => {
      explores = outlook.expectedSteps >= recipe.fewest_steps;
      current().begin(outlook);
    },
    explores: () => explores,
    proposeForTraining: (count, random, outlook) => current().proposeForTraining(count, random, outlook),
    proposeForEvaluation: (count, random, outlook) => current().proposeForEvaluation(count, random, outlook),
    distributionOf: (children, outlook) => current().distributionOf(children, outlook),
    learn: (children, outlook) => current().learn(children, outlook),
    finalists: () => current().finalists(),
    state: () => {
      const { tensors, plain } = exploring.state();
      return { tensors, plain: { explores, plain } };
    },
    restore: ({ tensors, plain }) => {
      const saved = stateSchema.parse(plain);
      ({ explores } = saved);
      exploring.restore({ tensors, plain: saved.plain });
    },
  };
}

/** A controller that has nothing to decide. */
function alwaysProposing(child: Choices): Controller {
  const propose = (count: number): readonly Choices[] => Array.from({ length: count }, () => child);
  return {
    begin: () => {},
    proposeForTraining: propose,
    proposeForEvaluation: propose,
    distributionOf: () => null,
    learn: () => null,
    finalists: () => [],
    state: () => ({ tensors: new Map(), plain: null }),
    restore: () => {},
  };
}
