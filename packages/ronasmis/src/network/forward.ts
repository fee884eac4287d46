import {
  add,
  convolution3d,
  convolutionBlock,
  maxPool3d,
  normaliseAndActivate,
  pointwiseConvolution3d,
  scope,
  type Tensor,
  upsampleAndAdd,
  view,
} from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';
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
    downsample: (features, stride) =>
      stride.every((step) => step === 1) ? features : maxPool3d(features, stride, { stride, ceilMode: true }),
    convolutionBlock: (features, layers, settings) => {
      const own = layers.map(({ kernel, norm }) => ({ kernel: named(kernel.name), ...normWeights(norm) }));
      return convolutionBlock(features, own, settings);
    },
    convolution: (features, kernel) => convolve(features, kernel, weights),
    upsampleAndAdd: (features, stride, like, addends) => upsampleAndAdd(features, stride, sizeOf(like), addends),
    add,
    pool: (features) => maxPool3d(features, 3, { stride: 1, padding: 1 }),
    normalise: (features, norm, activation) => {
      const { scale, shift } = normWeights(norm);
      return normaliseAndActivate(features, scale, shift, activation);
    },
    scope,
  };
}

function convolve(features: Tensor, { name, size, bias }: Kernel, weights: Weights): Tensor {
  const kernel = weight(weights, name);
  const shift = bias === undefined ? undefined : weight(weights, bias);
  if (size.every((extent) => extent === 1)) return pointwiseConvolution3d(features, kernel, shift);
  const convolved = convolution3d(features, kernel);
  return shift ? add(convolved, view(shift, [1, -1, 1, 1, 1])) : convolved;
}

function sizeOf({ shape: [, , depth, height, width] }: Tensor): Triple {
  return [depth, height, width];
}
