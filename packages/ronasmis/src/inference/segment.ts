import { argmaxLabels, noGradient, resampleArgmax, resampleSoftmax, scope, type Tensor, to } from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';
import { forward } from '../network/forward.ts';
import type { Network } from '../network/network.ts';
import type { Weights } from '../network/weights.ts';
import { logitsInTiles, type Tiling } from './tiles.ts';

/** How a volume is segmented; sizes are `[depth, height, width]` in voxels. */
export interface SegmentationSizes {
  /** Of the result, the image's own where it is left out. Where it differs, class probabilities are interpolated, never classes. */
  readonly size?: readonly number[];
  /** Of overlapping tiles that the image is passed in; in one pass where it is left out. */
  readonly tile?: Triple;
  readonly tiling?: Tiling;
}

/**
 * A network's segmentation of a whole volume in one pass (one-shot inference): class indices, uint8
 * `[batch, depth, height, width]`. Weights and image are of one precision.
 */
export function segment(
  network: Network,
  weights: Weights,
  image: Tensor,
  { size = image.shape.slice(2), ...tiles }: SegmentationSizes = {},
): Tensor {
  return noGradient(() => scope(() => classesAt(logitsOf(network, weights, image, tiles), size)));
}

/** As {@link segment}, and the probability of each class, float32 `[batch, class, depth, height, width]` on the CPU. */
export function segmentWithProbabilities(
  network: Network,
  weights: Weights,
  image: Tensor,
  { size = image.shape.slice(2), ...tiles }: SegmentationSizes,
): { readonly classes: Tensor; readonly probabilities: Tensor } {
  return noGradient(() =>
    scope(() => {
      const logits = logitsOf(network, weights, image, tiles);
      return { classes: classesAt(logits, size), probabilities: resampleSoftmax(onProcessor(logits), size) };
    }),
  );
}

function logitsOf(
  network: Network,
  weights: Weights,
  image: Tensor,
  { tile, tiling }: Pick<SegmentationSizes, 'tile' | 'tiling'>,
): Tensor {
  const ofVolume = (volume: Tensor): Tensor => forward(network, weights, volume)[0];
  if (tile === undefined) return ofVolume(image);
  return logitsInTiles(image, { tile, classes: network.classes, ...(tiling && { tiling }) }, ofVolume);
}

function classesAt(logits: Tensor, size: readonly number[]): Tensor {
  if (String(size) === String(logits.shape.slice(2))) return argmaxLabels(logits);
  return to(resampleArgmax(onProcessor(logits), size), { dataType: 'uint8', device: logits.device });
}

/** Scans are resampled by the processor alone: on a GPU, its memory would limit how large they are. */
function onProcessor(logits: Tensor): Tensor {
  return logits.device === 'cpu' ? logits : to(logits, { dataType: 'float32', device: 'cpu' });
}
