import { z } from 'zod';
import { count, note, positive, share } from './note.ts';

/** How weights are trained, and on which patches. */
export const trainingSchema = z
  .strictObject({
    loss: note(
      z.enum(['dice_cross_entropy', 'dice']).default('dice_cross_entropy'),
      'soft Dice, with or without cross-entropy',
      'nnU-Net; paper: Dice',
    ),
    batch_dice: note(
      z.boolean().default(false),
      'whether a class has one Dice a mini-batch, of all its voxels, in place of one a patch',
      'nnU-Net: where patches see little of a scan',
    ),
    optimiser: note(
      z.enum(['adam', 'sgd']).default('adam'),
      'Adam, or stochastic gradient descent with Nesterov momentum',
      'paper; nnU-Net: SGD',
    ),
    momentum: note(z.number().min(0).lt(1).default(0.99), "SGD's; Adam has moments of its own", 'nnU-Net'),
    learning_rate: note(
      positive.default(2e-3),
      "the optimiser's, where the schedule begins",
      'ours; the paper does not say',
    ),
    schedule_power: note(
      z.number().min(0).default(0.9),
      'exponent of the polynomial by which the rate falls to 0; 0: it is constant',
      'nnU-Net',
    ),
    steps_per_epoch: note(
      count.nullable().default(null),
      'training steps of an epoch, within which the rate is constant; null: search.training_epochs passes, the rate falls at each step',
      'ours; nnU-Net: 250',
    ),
    weight_decay: note(z.number().min(0).default(1e-3), 'for each step', 'paper: 1e-3 or 1e-4'),
    weight_decay_in: note(
      z.enum(['weights', 'gradient']).default('weights'),
      'where it acts: on the weights (AdamW) or in the gradient (Adam, SGD)',
      'Loshchilov & Hutter 2019; paper: Adam',
    ),
    gradient_clipping: note(
      positive.nullable().default(12),
      'norm to which gradients are clipped; null: they are not',
      'nnU-Net',
    ),
    averaged_share: note(
      share.default(0.1),
      'of the training steps so far that the moving average of the weights is over; 0: the weights as they are',
      'Polyak & Juditsky 1992; the share is ours',
    ),
    drop_path: note(
      share.default(0.1),
      'of the skips that are left out at each step',
      'paper, Table 1: the zero operation',
    ),
    foreground_every: note(
      z.number().min(1).nullable().default(3),
      'patches, of which one is around a labelled voxel; null: none is meant to be',
      'nnU-Net',
    ),
    foreground_last: note(
      share.nullable().default(null),
      "of a batch's patches, its last: instead, each is around a voxel of one class of its case, even where it reaches beyond the case's end; null: none",
      'ours; nnU-Net: 0.33',
    ),
    batch_cases: note(
      z.enum(['one', 'any']).default('one'),
      "that a batch's patches are of: one, or any of the training cases, drawn for each patch",
      'ours: one scan is read for a batch; nnU-Net: any',
    ),
    mini_batches: note(
      count.nullable().default(null),
      'whose gradients a training step adds up, each of a case or, where batch_cases is any, of several; null: one for each rank',
      'ours; paper: 1',
    ),
    all_cases: note(
      z.boolean().default(false),
      'whether validation cases are trained on as well: all but the test fold, for systems that choose nothing by them',
      'ours',
    ),
  })
  .refine(({ optimiser, weight_decay_in }) => optimiser === 'adam' || weight_decay_in === 'gradient', {
    path: ['weight_decay_in'],
    error: "SGD decays weights in the gradient: give weight_decay_in 'gradient'",
  });
