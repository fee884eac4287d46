import { argmaxLabels, noGradient, resampleArgmax, resampleSoftmax, scope, type Tensor, to } from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';
import { forward } from '../network/forward.ts';
import type { Network } from '../network/network.ts';
import type { Weights } from '../network/weights.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import { meanOfMirrorings } from './mirroring.ts';
import { logitsInTiles } from './sliding-window.ts';

/** How a volume is segmented; sizes are `[depth, height, width]` in voxels. */
export interface SegmentationPlan {
  /** Of the result, the image's own where it is left out. Where it differs, probabilities or logits are interpolated (`inference`), never classes. */
  readonly size?: readonly number[];
  /** Of overlapping tiles that the image is passed in, such as windows of the patch; in one pass where it is left out. */
  readonly tile?: Triple | undefined;
  /** The default recipe's where it is left out. */
  readonly inference?: Recipe['inference'];
  /** The axis of thick slices, along which logits are not interpolated; undefined where there is none. */
  readonly thickAxis?: 0 | 1 | 2 | undefined;
}

/**
 * A network's segmentation of a volume, in one pass (one-shot inference) or in tiles: class indices, uint8 `[batch, depth, height, width]` on the
 * image's device. Weights and image are of one precision.
 */
export function segment(network: Network, weights: Weights, image: Tensor, plan: SegmentationPlan = {}): Tensor {
  return noGradient(() =>
    scope(() =>
      to(classesOf(logitsOf(network, weights, image, plan), image, plan), { dataType: 'uint8', device: image.device }),
    ),
  );
}

/** As {@link segment}, and the probability of each class, float32 `[batch, class, depth, height, width]` on the CPU. */
export function segmentWithProbabilities(
  network: Network,
  weights: Weights,
  image: Tensor,
  plan: SegmentationPlan,
): { readonly classes: Tensor; readonly probabilities: Tensor } {
  return noGradient(() =>
    scope(() => {
      const logits = logitsOf(network, weights, image, plan);
      const probabilities = resampleSoftmax(onProcessor(logits), sizeOf(image, plan), resampling(plan));
      return { classes: classesOf(logits, image, plan), probabilities };
    }),
  );
}

function logitsOf(
  network: Network,
  weights: Weights,
  image: Tensor,
  { tile, inference = defaultRecipe.inference }: SegmentationPlan,
): Tensor {
  const once = (volume: Tensor): Tensor => forward(network, weights, volume)[0];
  const pass = inference.mirroring ? (volume: Tensor): Tensor => meanOfMirrorings(volume, once) : once;
  if (tile === undefined) return pass(image);
  return logitsInTiles(image, { tile, classes: network.classes, tiling: inference }, pass);
}

function classesOf(logits: Tensor, image: Tensor, plan: SegmentationPlan): Tensor {
  const size = sizeOf(image, plan);
  if (String(size) === String(logits.shape.slice(2))) return argmaxLabels(logits);
  return resampleArgmax(onProcessor(logits), size, resampling(plan));
}

const sizeOf = (image: Tensor, { size = image.shape.slice(2) }: SegmentationPlan): readonly number[] => size;

/** nnU-Net interpolates logits, and nothing across thick slices (`resample_data_or_seg_to_shape`). */
function resampling({ inference = defaultRecipe.inference, thickAxis }: SegmentationPlan) {
  return inference.interpolated === 'logits' ? { interpolatesLogits: true, nearestAxis: thickAxis } : {};
}

/** Scans are resampled by the processor alone: on a GPU, its memory would limit how large they are. */
function onProcessor(logits: Tensor): Tensor {
  return logits.device === 'cpu' ? logits : to(logits, { dataType: 'float32', device: 'cpu' });
}
