import type { Recipe } from './recipe.ts';

/**
 * Inference as nnU-Net v2 does it (Isensee et al. 2021; `nnUNetPredictor`): windows of the patch at steps of half of it, weighted by a Gaussian,
 * each the mean of all mirrorings; logits, not probabilities, are averaged, and brought to the scan's own grid.
 */
export const nnunetInference: Recipe['inference'] = {
  window: 'patch',
  // nnU-Net has no smaller tiles; its networks halve an axis six times at most, and no tile may be smaller than that.
  smallest_tile: 64,
  tile_step: 0.5,
  tile_standard_deviation: 1 / 8,
  tile_weights: 'gaussian',
  mirroring: true,
  interpolated: 'logits',
};
