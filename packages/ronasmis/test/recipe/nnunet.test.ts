import { expect, it } from 'vitest';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { defaultRecipe, differences } from '../../src/recipe/recipe.ts';

// The values are those of nnunetv2 2.8.1: attributes of an nnUNetTrainer, of its optimiser, and what its train_step clips gradients to.
it("trains as nnU-Net's trainer is set", () => {
  const { training } = nnunetRecipe;
  expect([training.optimiser, training.momentum, training.weight_decay, training.weight_decay_in]).toEqual([
    'sgd',
    0.99,
    3e-5,
    'gradient',
  ]);
  expect([training.learning_rate, training.schedule_power, training.steps_per_epoch]).toEqual([1e-2, 0.9, 250]);
  expect([training.loss, training.gradient_clipping]).toEqual(['dice_cross_entropy', 12]);
});

it('trains the weights that it leaves, of whole networks, on all cases but those of the test fold', () => {
  const { averaged_share, drop_path, all_cases } = nnunetRecipe.training;
  expect([averaged_share, drop_path, all_cases]).toEqual([0, 0, true]);
});

it('differs from the default in nothing else that has to do with a search', () => {
  const differing = differences(nnunetRecipe, defaultRecipe).map(({ section, name }) => `${section}.${name}`);
  // No part of it is on downsampled volumes.
  expect(differing.filter((name) => /^(search|controller|space)\./.test(name))).toEqual(['search.coarse_share']);
});

it("nnU-Net's inference is its predictor's defaults, and differs from ours where these do", () => {
  const recipe = { ...defaultRecipe, inference: nnunetRecipe.inference };
  // tile_step_size, use_gaussian with sigma_scale, use_mirroring.
  const { tile_step, tile_weights, tile_standard_deviation, mirroring } = recipe.inference;
  expect([tile_step, tile_weights, tile_standard_deviation, mirroring]).toEqual([0.5, 'gaussian', 0.125, true]);
  const differing = differences(recipe, defaultRecipe).map(({ name }) => name);
  expect(differing).toEqual(['window', 'smallest_tile', 'mirroring', 'interpolated']);
});
