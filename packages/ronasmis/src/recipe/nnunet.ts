import { type Recipe, recipeSchema } from './recipe.ts';

/**
 * How nnU-Net v2 trains (Isensee et al. 2021; `nnUNetTrainer` of nnunetv2 2.8.1), where it differs from the default recipe: 250 steps an
 * epoch, stochastic gradient descent, the weights as they are after the last step. Whether Dice is taken over the batch is for its plan to say.
 */
export const nnunetRecipe: Recipe = recipeSchema.parse({
  training: {
    optimiser: 'sgd',
    momentum: 0.99,
    learning_rate: 1e-2,
    steps_per_epoch: 250,
    weight_decay: 3e-5,
    weight_decay_in: 'gradient',
    averaged_share: 0,
    drop_path: 0,
    all_cases: true,
  },
});
