import {
  argmaxLabels,
  type DataType,
  noGradient,
  resampleArgmax,
  resampleSoftmax,
  scope,
  type Tensor,
  tensor,
  to,
} from '@ronasmis/libtorch';
import type { ComputeDevice } from '../device.ts';
import { forward } from '../network/child.ts';
import type { Weights } from '../network/weights.ts';
import type { Architecture } from '../space/architecture.ts';

/** An image `[batch, channel, depth, height, width]` on the device, in the precision and layout of the forward pass. */
export function toImage(
  values: Float32Array,
  shape: readonly number[],
  device: ComputeDevice,
  dataType: DataType,
): Tensor {
  return to(tensor(values, shape, { share: true }), dataType, null, device, null, false, true, 'channels_last_3d');
}

/**
 * The child's segmentation of a whole volume in one pass (one-shot inference): class indices, uint8
 * `[batch, depth, height, width]`. Weights and image are of one precision.
 * @param size `[depth, height, width]` of the result. Where the image has others, class probabilities are interpolated, never classes
 */
export function segment(
  weights: Weights,
  child: Architecture,
  image: Tensor,
  size: readonly number[] = image.shape.slice(2),
): Tensor {
  return noGradient(() => scope(() => classesAt(logitsOf(weights, child, image), size)));
}

/** As {@link segment}, and the probability of each class, float32 `[batch, class, depth, height, width]` on the CPU. */
export function segmentWithProbabilities(
  weights: Weights,
  child: Architecture,
  image: Tensor,
  size: readonly number[],
): { readonly classes: Tensor; readonly probabilities: Tensor } {
  return noGradient(() =>
    scope(() => {
      const logits = logitsOf(weights, child, image);
      return { classes: classesAt(logits, size), probabilities: resampleSoftmax(onProcessor(logits), size) };
    }),
  );
}

function logitsOf(weights: Weights, child: Architecture, image: Tensor): Tensor {
  return forward(weights, child, image, { deepSupervision: false })[0];
}

function classesAt(logits: Tensor, size: readonly number[]): Tensor {
  if (String(size) === String(logits.shape.slice(2))) return argmaxLabels(logits);
  return to(resampleArgmax(onProcessor(logits), size), 'uint8', null, logits.device);
}

/** Scans are resampled by the processor alone: on a GPU, its memory would limit how large they are. */
function onProcessor(logits: Tensor): Tensor {
  return logits.device === 'cpu' ? logits : to(logits, 'float32', null, 'cpu');
}
