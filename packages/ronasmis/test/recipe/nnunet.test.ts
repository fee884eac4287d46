import { describe, expect, test } from 'vitest';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { defaultRecipe, differences, recipeSchema } from '../../src/recipe/recipe.ts';

describe("nnU-Net's recipe", () => {
  test('survives being written and read, as run.json keeps it', () => {
    expect(recipeSchema.parse(JSON.parse(JSON.stringify(nnunetRecipe)))).toEqual(nnunetRecipe);
  });

  test('augments as often as its trainer does', () => {
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

  test('mixes slices by the patch alone, as `configure_rotation_dummyDA_mirroring_and_inital_patch_size` does', () => {
    const names = differences(nnunetRecipe, defaultRecipe).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['thick_slices', 'rotation_in', 'scale_balanced', 'label_interpolation']),
    );
    expect([nnunetRecipe.augmentation.thick_slices, nnunetRecipe.augmentation.flat_patches]).toEqual([null, 3]);
  });
});
