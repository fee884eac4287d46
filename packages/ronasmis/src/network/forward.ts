import {
  activate,
  add,
  averageAround3d,
  averagePooling3d,
  concatenate,
  convolution3d,
  convolutionBlock,
  maxPool3d,
  multiply,
  multiplyScalar,
  narrow,
  normalise,
  normaliseAndActivate,
  pointwiseConvolution3d,
  scope,
  stridedConvolution3d,
  type Tensor,
  transposedConvolution3d,
  upsampleAndAdd,
  view,
} from '@ronasmis/libtorch';
import { isOne, type Triple } from '../base/geometry.ts';
import type { WalkOptions } from './definition.ts';
import type { Network } from './network.ts';
import type { Kernel, Norm, Operations } from './operations.ts';
import { type Weights, weight } from './weights.ts';

/**
 * The forward pass of a network by libtorch.
 *
 * @param weights those of {@link networkWeights}, in the precision of the image
 * @param image `[batch, channel, depth, height, width]`
 * @returns logits `[batch, class, depth, height, width]`, the finest first; with deep supervision the coarser ones too, each in its own
 *   resolution
 */
export function forward(
  network: Pick<Network, 'walk'>,
  weights: Weights,
  image: Tensor,
  options: WalkOptions = { deepSupervision: false },
): readonly Tensor[] {
  return network.walk(libtorchOperations(weights), image, options);
}

function libtorchOperations(weights: Weights): Operations<Tensor> {
  const named = (name: string): Tensor => weight(weights, name);
  const normWeights = ({ scale, shift }: Norm) => ({ scale: named(scale), shift: named(shift) });
  return {
    downsample: (features, stride, pooling = 'max') => {
      if (isOne(stride)) return features;
      if (pooling === 'average') return averagePooling3d(features, stride);
      return maxPool3d(features, stride, { stride, ceilMode: true });
    },
    convolutionBlock: (features, layers, settings) => {
      const own = layers.map(({ kernel, norm }) => ({ kernel: named(kernel.name), ...normWeights(norm) }));
      return convolutionBlock(features, own, settings);
    },
    convolution: (features, kernel, stride = [1, 1, 1]) => convolve(features, kernel, stride, weights),
    transposedConvolution: (features, { name, bias }, like) =>
      cut(transposedConvolution3d(features, named(name), bias === undefined ? undefined : named(bias)), sizeOf(like)),
    upsampleAndAdd: (features, stride, like, addends) => upsampleAndAdd(features, stride, sizeOf(like), addends),
    add,
    scale: multiplyScalar,
    concatenate: (parts) => concatenate(parts, 1),
    pool: (features, pooling = 'max') => {
      if (pooling === 'average') return averageAround3d(features);
      return maxPool3d(features, 3, { stride: 1, padding: 1 });
    },
    normalise: (features, norm, activation) => {
      const { scale, shift } = normWeights(norm);
      if (activation === undefined) return normalise(features, scale, shift);
      return normaliseAndActivate(features, scale, shift, activation);
    },
    activate,
    gate: (features, { name }) => multiply(features, named(name)),
    scope,
  };
}

function convolve(features: Tensor, { name, size, bias }: Kernel, stride: Triple, weights: Weights): Tensor {
  const kernel = weight(weights, name);
  const shift = bias === undefined ? undefined : weight(weights, bias);
  if (isOne(stride) && isOne(size)) return pointwiseConvolution3d(features, kernel, shift);
  const convolved = isOne(stride) ? convolution3d(features, kernel) : stridedConvolution3d(features, kernel, stride);
  return shift ? add(convolved, view(shift, [1, -1, 1, 1, 1])) : convolved;
}

/** The first voxels of each axis. */
function cut(features: Tensor, size: Triple): Tensor {
  return size.reduce(
    (result, extent, axis) => (extent < result.shape[axis + 2] ? narrow(result, axis + 2, 0, extent) : result),
    features,
  );
}

function sizeOf({ shape: [, , depth, height, width] }: Tensor): Triple {
  return [depth, height, width];
}
