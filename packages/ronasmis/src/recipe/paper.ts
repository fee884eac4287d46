import { type Recipe, recipeSchema } from './recipe.ts';

/**
 * The published RONASMIS (Bae et al. 2019), as far as it is known, where it differs from the default recipe: a uniform beginning, patches
 * learnt like all else, nothing that decides before the end, Dice loss, Adam with weight decay in the gradient, mirroring as the only
 * augmentation, and the best of the evaluated children with the shared weights as they are. What the paper does not say is as in the
 * default recipe: the learning rate and its schedule, clipping, where patches are taken, what a search does that runs out of time.
 */
export const paperRecipe: Recipe = recipeSchema.parse({
  space: { cost_limit: null, patch_lead: null },
  network: { thick_slice: null, mixes_taps: false },
  controller: {
    bias_scale: 0,
    learning_rate_steps: null,
    baseline_decay: 0.95,
    base_lead: [0, 0],
    fewest_steps: 0,
    warm_up_share: 0,
    decided_share: null,
  },
  search: { finalists: false, coarse_share: 0, joins_coarse: false, race_share: 0 },
  augmentation: { from_passes: null, patience: null },
  training: { loss: 'dice', weight_decay_in: 'gradient', averaged_share: 0 },
  inference: { window: 'volume', removes_small_components: false },
});
