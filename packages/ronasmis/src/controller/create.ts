import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import type { DecisionSpace } from '../space/space.ts';
import type { Controller, CreateController } from './controller.ts';
import { type ControllerName, controllerNames, loadController } from './controllers.ts';

const loaded = new Map(
  await Promise.all(controllerNames.map(async (name) => [name, await loadController(name)] as const)),
);

/**
 * A fresh controller that proposes children of `space`: one of ours by its name, or what someone else's function makes. `seed` decides
 * its first weights, where it has any.
 */
export function createController(
  controller: ControllerName | CreateController,
  space: DecisionSpace,
  seed: number,
  recipe: Recipe['controller'] = defaultRecipe.controller,
): Controller {
  const create = typeof controller === 'string' ? loaded.get(controller) : controller;
  if (create === undefined) throw new Error(`There is no controller called ${controller}.`);
  return create(space, seed, recipe);
}
