import type { Interleaving } from './interleaving.ts';
import { hasFusedKernels } from './kernels.ts';
import { elu, fusedInstanceNorm, instanceNorm, leakyRelu, relu } from './operations.ts';
import type { Tensor } from './tensor.ts';

export type Activation = 'relu' | 'leaky_relu' | 'elu';

/** Of the leaky ReLU, as in nnU-Net. */
const leakySlope = 0.01;
const epsilon = 1e-5;

/**
 * Instance normalisation over the voxels (Ulyanov et al. 2016), each channel scaled and shifted, and an activation:
 * `[batch, channel, depth, height, width]` with a scale and a shift `[channel]`.
 *
 * On a processor and on NVIDIA's GPUs it is one fused operation of this package (native/kernels, native/cuda), in channels_last_3d;
 * elsewhere libtorch's operations.
 *
 * @param interleaving how the input is interleaved, on a processor: the sub-volumes of a volume are normalised together, and their
 *   padding is left out and becomes 0
 */
export function normaliseAndActivate(
  input: Tensor,
  scale: Tensor,
  shift: Tensor,
  activation: Activation,
  { dilation, size }: Interleaving = { dilation: 1, size: input.shape.slice(2) },
): Tensor {
  if (hasFusedKernels(input.device))
    return fusedInstanceNorm(input, scale, shift, activationNumber[activation], dilation, size);
  return activate(
    instanceNorm(input, {
      weight: scale,
      bias: shift,
      useInputStats: true,
      momentum: 0.1,
      epsilon,
      cudnnEnabled: true,
    }),
    activation,
  );
}

// The same numbers stand in native/kernels/instance_norm.h.
const activationNumber: Readonly<Record<Activation, number>> = { relu: 0, leaky_relu: 1, elu: 2 };

function activate(input: Tensor, activation: Activation): Tensor {
  switch (activation) {
    case 'relu':
      return relu(input);
    case 'leaky_relu':
      return leakyRelu(input, { negativeSlope: leakySlope });
    case 'elu':
      return elu(input);
  }
}
