import { describeEngine, scope } from '@ronasmis/libtorch';
import { type Architecture, createRandom, type NetworkDimensions, type Precision } from 'ronasmis';
import {
  alone,
  type ComputeDevice,
  chooseDevice,
  choosePrecision,
  createSearchState,
  defaultRecipe,
  macroSpace,
  networkOf,
  type SearchContext,
  type Trainer,
  type TrainingBatch,
  trainStep,
  voxelsOf,
} from 'ronasmis/internal';
import { timed } from './rounds.ts';

export type Size = readonly [number, number, number];

/** The product's training, on batches that are made up. */
export interface Training {
  readonly context: SearchContext;
  readonly trainer: Trainer;
  /** Seconds of one training step of a child. */
  step(child: Architecture, batch: TrainingBatch): number;
}

/** A device in its best precision. */
export interface Compute {
  readonly device: ComputeDevice;
  readonly precision: Precision;
}

/** What a search computes on where it is not told: a GPU, where there is one. */
export const fastest = await computeOn(chooseDevice('auto', describeEngine()));
const processor = await computeOn('cpu');

async function computeOn(device: ComputeDevice): Promise<Compute> {
  return { device, precision: await choosePrecision('auto', device, describeEngine()) };
}

/** Fresh weights and the search space of scans of `volume` voxels (depth, height, width). */
export function openTraining(volume: Size, dimensions: NetworkDimensions, compute = processor): Training {
  const space = macroSpace(volume, dimensions);
  const context: SearchContext = {
    team: alone,
    ...compute,
    recipe: defaultRecipe,
    dimensions,
    space,
    batchVoxels: voxelsOf(sizeOf(space.base)),
    cases: [],
    split: { training: [], validation: [], test: [] },
    labelValues: Array.from({ length: dimensions.classes }, (_, value) => value),
    scored: [],
    ignoredValue: undefined,
    children: 1,
  };
  const { trainer } = createSearchState(context, 'reinforce', 1);
  return {
    context,
    trainer,
    step: (child, batch) =>
      timed(() => {
        trainOnce(trainer, child, dimensions, batch);
      }),
  };
}

/** A training step of a child as a search makes it. No skip is left out, as a search does at random: what is compared with leaves none out. */
export function trainOnce(
  trainer: Trainer,
  child: Architecture,
  dimensions: NetworkDimensions,
  batch: TrainingBatch,
): number {
  const random = { ...createRandom(1), uniform: () => 1 };
  return scope(() =>
    trainStep(trainer, networkOf(child, dimensions), batch, {
      learningRate: trainer.recipe.learning_rate,
      random,
    }).item(),
  );
}

/** A batch of noise with labels of every class. */
export function madeUpBatch(
  { inputChannels, classes }: NetworkDimensions,
  patches: number,
  patch: Size,
): TrainingBatch {
  const random = createRandom(1);
  const voxels = patches * patch[0] * patch[1] * patch[2];
  const crop = { case: 0, offset: [0, 0, 0], flip: [] } as const;
  return {
    image: Float32Array.from({ length: voxels * inputChannels }, () => 2 * random.uniform() - 1),
    label: Uint8Array.from({ length: voxels }, (_, voxel) => Math.floor(voxel / 7) % classes),
    plan: { patch, crops: Array.from({ length: patches }, () => crop) },
  };
}

export const sizeOf = ({ patch }: Architecture): Size => [patch.depth, patch.height, patch.width];
