import { type Recipe, recipeSchema } from '../recipe/recipe.ts';

/**
 * How the fixed and the gradient-searched networks of the paper's Table 2 are trained and predict: by our loss and optimiser, mirrored patches of any
 * case, all cases but the test fold, and overlapped patches of even weights.
 */
export const overlappedRecipe: Recipe = recipeSchema.parse({
  search: { coarse_share: 0 },
  training: { all_cases: true, batch_cases: 'any', steps_per_epoch: 250, learning_rate: 1e-2 },
  inference: { window: 'patch', tile_weights: 'even', removes_small_components: false },
});
