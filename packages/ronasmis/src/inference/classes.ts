import { argmaxLabels, resampleArgmax, scope, type Tensor, to } from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';

/** How a volume is segmented; sizes are `[depth, height, width]` in voxels. */
export interface SegmentationPlan {
  /** Of the result, the image's own where it is left out. Where it differs, probabilities or logits are interpolated (`inference`), never classes. */
  readonly size?: readonly number[];
  /** The training patch, where the region of what was found is looked at again, no smaller than that; in the one look where it is left out. */
  readonly region?: Triple | undefined;
  /** Of overlapping tiles that the image is passed in, such as windows of the patch; in one pass where it is left out. */
  readonly tile?: Triple | undefined;
  /** The default recipe's where it is left out. */
  readonly inference?: Recipe['inference'];
  /** The axis of thick slices, along which logits are not interpolated; undefined where there is none. */
  readonly thickAxis?: 0 | 1 | 2 | undefined;
}

/** The class of each voxel of the result: uint8 `[batch, depth, height, width]` on the image's device. */
export function classesOf(logits: Tensor, image: Tensor, plan: SegmentationPlan): Tensor {
  return scope(() => to(indicesOf(logits, image, plan), { dataType: 'uint8', device: image.device }));
}

function indicesOf(logits: Tensor, image: Tensor, plan: SegmentationPlan): Tensor {
  const size = sizeOf(image, plan);
  if (String(size) === String(logits.shape.slice(2))) return argmaxLabels(logits);
  return resampleArgmax(onProcessor(logits), size, resampling(plan));
}

/** Of the result. */
export const sizeOf = (image: Tensor, { size = image.shape.slice(2) }: SegmentationPlan): readonly number[] => size;

/** nnU-Net interpolates logits, and nothing across thick slices (`resample_data_or_seg_to_shape`). */
export function resampling({ inference = defaultRecipe.inference, thickAxis }: SegmentationPlan) {
  return inference.interpolated === 'logits' ? { interpolatesLogits: true, nearestAxis: thickAxis } : {};
}

/** Scans are resampled by the processor alone: on a GPU, its memory would limit how large they are. */
export function onProcessor(logits: Tensor): Tensor {
  return logits.device === 'cpu' ? logits : to(logits, { dataType: 'float32', device: 'cpu' });
}
