import {
  adam,
  adamW,
  clone,
  copyInto,
  joinParts,
  type NamedTensors,
  noGradient,
  type Optimiser,
  partOf,
  scope,
  sgd,
  type Tensor,
} from '@ronasmis/libtorch';
import type { ComputeDevice, Precision } from '../engine/device.ts';
import type { Weights } from '../network/weights.ts';
import type { Recipe } from '../recipe/recipe.ts';

/** Weights in training, those of one network or of many that share them, and all that changes with them. */
export interface Trainer {
  readonly device: ComputeDevice;
  readonly precision: Precision;
  /** Whether labels may have voxels that are not learnt from. */
  readonly hasIgnored: boolean;
  readonly recipe: Recipe['training'];
  readonly weights: Weights;
  /** Moving average of the weights over the training steps: what a network is evaluated with, and what a training leaves. */
  readonly averaged: Weights;
  readonly optimiser: Optimiser;
  /** Training steps so far, those that were left out for memory included. */
  steps: number;
}

/** What fresh weights are trained on, and how. */
export type TrainerOptions = Pick<Trainer, 'device' | 'precision' | 'hasIgnored' | 'recipe'>;

/** The training of fresh weights on `device`, before its first step. */
export function createTrainer(weights: Weights, { device, precision, hasIgnored, recipe }: TrainerOptions): Trainer {
  return {
    device,
    precision,
    hasIgnored,
    recipe,
    weights,
    averaged: noGradient(() => scope(() => new Map(Array.from(weights, ([name, tensor]) => [name, clone(tensor)])))),
    optimiser: createOptimiser([...weights.values()], precision, recipe),
    steps: 0,
  };
}

/** AdamW, Adam or SGD with Nesterov momentum, as the recipe says, with losses scaled in float16. */
function createOptimiser(weights: readonly Tensor[], precision: Precision, recipe: Recipe['training']): Optimiser {
  const options = {
    learningRate: recipe.learning_rate,
    weightDecay: recipe.weight_decay,
    scalesLoss: precision === 'fp16',
  };
  if (recipe.optimiser === 'adam') return (recipe.weight_decay_in === 'weights' ? adamW : adam)(weights, options);
  return sgd(weights, { ...options, momentum: recipe.momentum, nesterov: recipe.momentum > 0 });
}

/** The tensors that a stopped training needs to go on, as its checkpoint holds them. */
export function trainerTensors({ weights, averaged, optimiser }: Trainer): NamedTensors {
  return joinParts({ weights, averaged, optimiser: optimiser.state() });
}

/** Frees all that a training has made: nothing of it may be used afterwards. */
export function freeTrainer(trainer: Trainer): void {
  for (const tensor of trainerTensors(trainer).values()) tensor.free();
}

/** Takes over copies of what {@link trainerTensors} gave, and how many steps had been trained. Throws where they are another network's. */
export function restoreTrainer(trainer: Trainer, tensors: NamedTensors, steps: number): void {
  copyInto(trainer.weights, partOf(tensors, 'weights'));
  copyInto(trainer.averaged, partOf(tensors, 'averaged'));
  trainer.optimiser.restore(partOf(tensors, 'optimiser'));
  trainer.steps = steps;
}
