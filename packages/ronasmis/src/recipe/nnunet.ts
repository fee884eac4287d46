import { axes } from '../base/geometry.ts';
import { type Recipe, recipeSchema } from './recipe.ts';

/** Where the crop to what is not zero leaves less of the median image than this, nnU-Net z-scores within the mask of that. */
export const wholeImage = 3 / 4;

/**
 * nnU-Net v2.8.1 (Isensee et al. 2021), where it differs from the default recipe: 250 steps an epoch, stochastic gradient
 * descent, the weights as they are after the last step. Whether Dice is taken over the batch is for its plan to say. Its augmentation is `get_training_transforms` of its
 * trainer over batchgeneratorsv2 0.3.6, which draws another number here and there than the paper says: what is called the variance of noise
 * is used as its standard deviation. It predicts in windows of the patch (`nnUNetPredictor`), each the mean of the logits of all mirrorings, which are brought to
 * the scan's own grid.
 */
export const nnunetRecipe: Recipe = recipeSchema.parse({
  preparation: { masked_below: wholeImage },
  search: { coarse_share: 0 },
  training: {
    optimiser: 'sgd',
    momentum: 0.99,
    learning_rate: 1e-2,
    steps_per_epoch: 250,
    weight_decay: 3e-5,
    weight_decay_in: 'gradient',
    averaged_share: 0,
    drop_path: 0,
    foreground_last: 0.33,
    batch_cases: 'any',
    all_cases: true,
  },
  augmentation: {
    flip_axes: axes,
    spatial_in_plane: 0.2,
    rotation_in: 'voxels',
    scale_balanced: false,
    thick_slices: null,
    label_interpolation: 'linear',
    noise_share: [0.1, 1],
    noise_in: 'deviation',
    noise_of: 'patch',
    blur_share: [0.2, 0.5],
    brightness_share: [0.15, 1],
    brightness: [0.75, 1.25],
    contrast_share: [0.15, 1],
    contrast: [0.75, 1.25],
    low_resolution_share: [0.25, 0.5],
    inverted_gamma_share: [0.1, 1],
    gamma_share: [0.3, 1],
  },
  inference: {
    window: 'patch',
    // nnU-Net has no smaller tiles; its networks halve an axis six times at most, and no tile may be smaller than that.
    smallest_tile: 64,
    tile_step: 0.5,
    tile_standard_deviation: 1 / 8,
    tile_weights: 'gaussian',
    mirroring: true,
    removes_small_components: false,
    interpolated: 'logits',
  },
});
