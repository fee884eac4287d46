import { expect, it } from 'vitest';
import { nnunetInference } from '../../src/recipe/nnunet.ts';
import { defaultRecipe, differences, recipeSchema } from '../../src/recipe/recipe.ts';

it("nnU-Net's inference is its predictor's defaults, and differs from ours where these do", () => {
  const recipe = recipeSchema.parse({ inference: nnunetInference });
  expect(recipe.inference).toEqual(nnunetInference);
  // tile_step_size, use_gaussian with sigma_scale, use_mirroring.
  const { tile_step, tile_weights, tile_standard_deviation, mirroring } = recipe.inference;
  expect([tile_step, tile_weights, tile_standard_deviation, mirroring]).toEqual([0.5, 'gaussian', 0.125, true]);
  const differing = differences(recipe, defaultRecipe).map(({ name }) => name);
  expect(differing).toEqual(['window', 'smallest_tile', 'mirroring', 'interpolated']);
});
