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
 * A batch of one random crop for each of `caseIndices` (into `cases`). Where the volume is larger than the patch, the offset is uniform over
 * those inside the volume, or the crop is around a labelled voxel; where it is smaller, it is padded evenly. Crops are mirrored along each of
 * the recipe's axes as often as it says. With `augment`, some are rotated, scaled and changed in their intensities besides.
 */
export function samplePlan(
  random: Random,
  cases: readonly PreparedCase[],
  caseIndices: readonly number[],
  { patch, augment, downsampling, recipe = defaultRecipe }: SampleOptions,
): BatchPlan {
  const { flip, flip_axes } = recipe.augmentation;
  const firstOfLast = caseIndices.length - lastAroundForeground(caseIndices.length, recipe.training);
  const crops = caseIndices.map((index, at): BatchCrop => {
    const centre = drawCentre(random, cases[index], at >= firstOfLast, recipe.training);
    const offset = drawOffset(random, cases[index].shape, patch, centre);
    const crop = { case: index, offset, flip: flip_axes.filter(() => random.uniform() < flip) };
    if (!augment) return crop;
    const { channels, spacing } = cases[index];
    return { ...crop, augmentation: drawAugmentation(random, { channels, spacing, patch }, recipe.augmentation) };
  });
  return { patch, crops, ...(downsampling && { downsampling }) };
}

/** How many of a batch's patches are around labelled voxels for sure, as nnU-Net rounds (`_oversample_last_XX_percent`). */
export function lastAroundForeground(
  patches: number,
  { foreground_last }: Pick<Recipe['training'], 'foreground_last'>,
): number {
  return foreground_last === null ? 0 : patches - Math.round(patches * (1 - foreground_last));
}

/** A labelled voxel that a patch is around, and whether the patch may reach beyond the volume's end for it. */
interface Centre {
  readonly voxel: Triple;
  readonly reachesBeyond: boolean;
}

function drawCentre(
  random: Random,
  { shape, foreground, classForeground }: PreparedCase,
  isOneOfLast: boolean,
  { foreground_every, foreground_last }: Recipe['training'],
): Centre | undefined {
  const oneOf = <Value>(values: ArrayLike<Value>): Value => values[random.integer(values.length)];
  if (foreground_last === null) {
    if (foreground_every === null || random.uniform() * foreground_every >= 1 || foreground.length === 0)
      return undefined;
    return { voxel: positionOf(oneOf(foreground), shape), reachesBeyond: false };
  }
  const classes = classForeground.filter((voxels) => voxels.length > 0);
  if (!isOneOfLast || classes.length === 0) return undefined;
  return { voxel: positionOf(oneOf(oneOf(classes)), shape), reachesBeyond: true };
}

function drawOffset(random: Random, shape: Triple, patch: Triple, centre: Centre | undefined): Triple {
  const along = (axis: 0 | 1 | 2): number => {
    const room = shape[axis] - patch[axis];
    const first = room < 0 ? 0 - Math.floor(-room / 2) : 0;
    const last = Math.max(first, room);
    if (centre === undefined) return room <= 0 ? first : random.integer(room + 1);
    const around = Math.max(first, centre.voxel[axis] - Math.floor(patch[axis] / 2));
    return centre.reachesBeyond ? around : Math.min(last, around);
  };
  return [along(0), along(1), along(2)];
}

function positionOf(voxel: number, [, height, width]: Triple): Triple {
  return [Math.floor(voxel / (height * width)), Math.floor(voxel / width) % height, voxel % width];
}
