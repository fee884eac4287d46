import { type DataType, type Tensor, tensor, to } from '@ronasmis/libtorch';
import type { ComputeDevice } from './device.ts';

/** An image `[batch, channel, depth, height, width]` on the device, in the precision and layout of the forward pass. */
export function toImage(
  values: Float32Array,
  shape: readonly number[],
  device: ComputeDevice,
  dataType: DataType,
): Tensor {
  return to(tensor(values, shape, { share: true }), { dataType, device, copy: true, memoryFormat: 'channels_last_3d' });
}

/** Class indices of this shape on the device, as uint8; on a processor they share the memory of `values`. */
export function toLabel(values: Uint8Array, shape: readonly number[], device: ComputeDevice): Tensor {
  return to(tensor(values, shape, { share: true }), { dataType: 'uint8', device });
}
