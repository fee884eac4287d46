import { type Activation, activationFunction } from './activations.ts';
import type { Interleaving } from './interleaving.ts';
import { hasFusedKernels } from './kernels.ts';
import { fusedInstanceNorm, groupNorm } from './operations.ts';
import type { Tensor } from './tensor.ts';

const epsilon = 1e-5;

/** The number that no activation has in native/kernels/instance_norm.h and native/cuda/instance_norm.cu, where the others' are. */
const noActivation = 3;

/** Instance normalisation alone, otherwise as {@link normaliseAndActivate}. */
export function normalise(input: Tensor, scale: Tensor, shift: Tensor): Tensor {
  if (hasFusedKernels(input.device))
    return fusedInstanceNorm(input, scale, shift, noActivation, 1, input.shape.slice(2));
  // Groups of one channel. libtorch's instance_norm is not used: its gradient is wrong on a processor where a batch of one volume gets
  // a gradient in channels_last_3d (PyTorch 2.15.0), and its result is contiguous whatever it is given.
  return groupNorm(input, input.shape[1], { weight: scale, bias: shift, epsilon });
}

/**
 * Instance normalisation over the voxels (Ulyanov et al. 2016), each channel scaled and shifted, and an activation:
 * `[batch, channel, depth, height, width]` with a scale and a shift `[channel]`.
 *
 * On a processor and on NVIDIA's GPUs it is one fused operation of this package (native/kernels, native/cuda), in channels_last_3d,
 * where the activation has a fused number; otherwise the two follow each other, and elsewhere both are libtorch's operations.
 */
export function normaliseAndActivate(input: Tensor, scale: Tensor, shift: Tensor, activation: Activation): Tensor {
  return normaliseInterleaved(input, { scale, shift }, activation, { dilation: 1, size: input.shape.slice(2) });
}

/**
 * As {@link normaliseAndActivate}, of volumes that are interleaved so: the sub-volumes of a volume are normalised together, and their
 * padding is left out and becomes 0. Throws where they are interleaved but the operation is not fused.
 */
export function normaliseInterleaved(
  input: Tensor,
  { scale, shift }: { readonly scale: Tensor; readonly shift: Tensor },
  activation: Activation,
  { dilation, size }: Interleaving,
): Tensor {
  const { fusedNumber, apply } = activationFunction(activation);
  if (fusedNumber !== null && hasFusedKernels(input.device))
    return fusedInstanceNorm(input, scale, shift, fusedNumber, dilation, size);
  if (dilation !== 1) throw new Error(`Volumes cannot be interleaved with ${activation}, which is not fused.`);
  return apply(normalise(input, scale, shift));
}
