import { hasFusedKernels } from './kernels.ts';
import { add, fusedUpsample, narrow, upsampleTrilinear3d } from './operations.ts';
import type { Tensor } from './tensor.ts';

/**
 * A volume `[batch, channel, depth, height, width]` upsampled trilinearly by a whole stride along each axis, cut to `size`
 * at the far ends (voxels stay aligned with those that were pooled, whatever the size), plus the sum of `addends`, which are
 * `[batch, channel, ...size]`. Where the stride is 1 along all axes it is a plain sum.
 *
 * On a processor and on NVIDIA's GPUs it is one fused operation of this package (native/kernels, native/cuda), in channels_last_3d;
 * elsewhere libtorch's operations.
 *
 * @param size along each axis at most the volume's times the stride, and more than that of one voxel less
 */
export function upsampleAndAdd(
  volume: Tensor,
  stride: readonly number[],
  size: readonly number[],
  addends: readonly Tensor[] = [],
): Tensor {
  const plain = stride.every((step) => step === 1);
  if (plain && addends.length === 0) return volume;
  if (hasFusedKernels(volume.device)) return fusedUpsample(volume, stride, size, addends);
  return addends.reduce((sum, addend) => add(sum, addend), plain ? volume : upsample(volume, stride, size));
}

function upsample(volume: Tensor, stride: readonly number[], size: readonly number[]): Tensor {
  const scaled = stride.map((step, axis) => step * volume.shape[axis + 2]);
  return size.reduce(
    (result, extent, axis) => (extent < scaled[axis] ? narrow(result, axis + 2, 0, extent) : result),
    upsampleTrilinear3d(volume, scaled, false),
  );
}
