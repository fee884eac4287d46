import { argmaxLabels, type DataType, noGradient, scope, type Tensor, tensor, to } from '@ronasmis/libtorch';
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
 */
export function segment(weights: Weights, child: Architecture, image: Tensor): Tensor {
  return noGradient(() => scope(() => argmaxLabels(forward(weights, child, image, { deepSupervision: false })[0])));
}
