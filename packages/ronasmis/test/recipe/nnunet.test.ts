import { describe, expect, it } from 'vitest';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { defaultRecipe, differences, recipeSchema } from '../../src/recipe/recipe.ts';

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
  expect(differing).toEqual(['window', 'smallest_tile', 'mirroring', 'removes_small_components', 'interpolated']);
});

describe("nnU-Net's recipe", () => {
  it('survives being written and read, as run.json keeps it', () => {
    expect(recipeSchema.parse(JSON.parse(JSON.stringify(nnunetRecipe)))).toEqual(nnunetRecipe);
  });

  it('augments as often as its trainer does', () => {
    const { augmentation } = nnunetRecipe;
    const shares = Object.entries(augmentation).flatMap(([name, value]) =>
      name.endsWith('_share') ? [[name, value]] : [],
    );
    // nnU-Net v2.8.1: apply_probability of each RandomTransform, and the transform's p_per_channel.
    expect(Object.fromEntries(shares)).toEqual({
      noise_share: [0.1, 1],
      blur_share: [0.2, 0.5],
      brightness_share: [0.15, 1],
      contrast_share: [0.15, 1],
      low_resolution_share: [0.25, 0.5],
      inverted_gamma_share: [0.1, 1],
      gamma_share: [0.3, 1],
    });
    expect([augmentation.flip, augmentation.flip_axes]).toEqual([0.5, ['depth', 'height', 'width']]);
    expect([augmentation.spatial, augmentation.spatial_in_plane, augmentation.scale]).toEqual([0.2, 0.2, [0.7, 1.4]]);
    expect([augmentation.rotation, augmentation.rotation_in_plane]).toEqual([Math.PI / 6, Math.PI]);
  });

  it('mixes slices by the patch alone, as `configure_rotation_dummyDA_mirroring_and_inital_patch_size` does', () => {
    const names = differences(nnunetRecipe, defaultRecipe).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['thick_slices', 'rotation_in', 'scale_balanced', 'label_interpolation']),
    );
    expect([nnunetRecipe.augmentation.thick_slices, nnunetRecipe.augmentation.flat_patches]).toEqual([null, 3]);
  });
});
