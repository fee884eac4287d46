import type { Triple } from '../base/geometry.ts';
import type { Random } from '../base/random.ts';
import type { Downsampling } from '../preparation/downsampling.ts';
import type { PreparedCase } from '../preparation/prepare.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import { drawAugmentation } from './augmentation.ts';
import type { BatchCrop, BatchPlan } from './fill-batch.ts';

/** How crops are drawn. */
export interface SampleOptions {
  /** `[depth, height, width]` */
  readonly patch: Triple;
  readonly augment: boolean;
  readonly downsampling?: Downsampling | undefined;
  /** The default one where it is left out. */
  readonly recipe?: Pick<Recipe, 'training' | 'augmentation'>;
}

/**
 * A batch of one random crop for each of `caseIndices` (into `cases`). Where the volume is
 * larger than the patch, the offset is uniform over those inside the volume, or, in one third of the draws, centred on a
 * random labelled voxel as far as the volume reaches; where it is smaller, it is padded evenly. Half are flipped. With
 * `augment`, some are rotated, scaled and changed in their intensities besides.
 */
export function samplePlan(
  random: Random,
  cases: readonly PreparedCase[],
  caseIndices: readonly number[],
  { patch, augment, downsampling, recipe = defaultRecipe }: SampleOptions,
): BatchPlan {
  const crops = caseIndices.map((index): BatchCrop => {
    const offset = sampleOffset(random, cases[index], patch, recipe.training);
    const crop = { case: index, offset, flip: random.uniform() < recipe.augmentation.flip };
    if (!augment) return crop;
    const { channels, spacing } = cases[index];
    return { ...crop, augmentation: drawAugmentation(random, { channels, spacing, patch }, recipe.augmentation) };
  });
  return { patch, crops, ...(downsampling && { downsampling }) };
}

function sampleOffset(
  random: Random,
  { shape, foreground }: PreparedCase,
  patch: Triple,
  { foreground_every }: Recipe['training'],
): Triple {
  const centre =
    random.integer(foreground_every) === 0 && foreground.length > 0
      ? positionOf(foreground[random.integer(foreground.length)], shape)
      : undefined;
  const along = (axis: 0 | 1 | 2): number => {
    const room = shape[axis] - patch[axis];
    if (room <= 0) return 0 - Math.floor(-room / 2);
    if (centre === undefined) return random.integer(room + 1);
    return Math.min(room, Math.max(0, centre[axis] - Math.floor(patch[axis] / 2)));
  };
  return [along(0), along(1), along(2)];
}

function positionOf(voxel: number, [, height, width]: Triple): Triple {
  return [Math.floor(voxel / (height * width)), Math.floor(voxel / width) % height, voxel % width];
}
