import { type Triple, voxelsOf } from '../base/geometry.ts';
import { sum } from '../base/statistics.ts';
import type { Network } from './network.ts';
import type { Kernel, Operations } from './operations.ts';

/** What a network costs, for one voxel of its input. */
export interface Cost {
  /**
   * Multiply-adds of the forward pass, to which its time is nearly proportional: those of all convolutions, without the heads, which are
   * the same for all children: whatever gives the logits.
   */
  readonly multiplyAdds: number;
  /**
   * Elements that norms, activations alone, concatenations and the poolings of cells keep for the backward pass, to which the memory of training
   * is nearly proportional.
   */
  readonly activations: number;
}

/** Channels, and voxels for each voxel of the input: the inverse of all strides. */
interface Extent {
  readonly channels: number;
  readonly volume: number;
}

/** The indices of a max pooling are of 8 bytes each: as much as two elements. */
const keptByMaxPooling = 2;

/** What a network costs: a walk through it that knows of features only how many there are. */
export function costOf(network: Pick<Network, 'walk' | 'inputChannels'>): Cost {
  let activations = 0;
  const convolutions: { readonly result: Extent; readonly multiplyAdds: number }[] = [];
  /** By a kernel each of whose taps meets every voxel of `volume` once. */
  const convolve = (channels: number, kernel: Kernel, volume: number, result: Extent): Extent => {
    const multiplyAdds = voxelsOf(kernel.size) * channels * kernel.channels * volume;
    convolutions.push({ result, multiplyAdds });
    return result;
  };
  const convolution = (from: Extent, kernel: Kernel, stride: Triple = [1, 1, 1]): Extent => {
    const volume = from.volume / voxelsOf(stride);
    return convolve(from.channels, kernel, volume, { channels: kernel.channels, volume });
  };
  const keep = (features: Extent, times: number): Extent => {
    activations += times * features.channels * features.volume;
    return features;
  };
  const operations: Operations<Extent> = {
    downsample: ({ channels, volume }, stride) => ({ channels, volume: volume / voxelsOf(stride) }),
    convolutionBlock: (features, layers) =>
      layers.reduce((from, { kernel }) => keep(convolution(from, kernel), 1), features),
    convolution,
    transposedConvolution: (from, kernel, { volume }) =>
      convolve(from.channels, kernel, from.volume, { channels: kernel.channels, volume }),
    upsampleAndAdd: ({ channels }, _stride, { volume }) => ({ channels, volume }),
    add: (one) => one,
    scale: (features) => features,
    concatenate: (parts) => keep({ channels: sum(parts.map(({ channels }) => channels)), volume: parts[0].volume }, 1),
    pool: (features, pooling = 'max') => (pooling === 'max' ? keep(features, keptByMaxPooling) : features),
    normalise: (features) => keep(features, 1),
    activate: (features) => keep(features, 1),
    gate: (features) => keep(features, 1),
    scope: (body) => body(),
  };
  const image = { channels: network.inputChannels, volume: 1 };
  const logits = network.walk(operations, image, { deepSupervision: false });
  const multiplyAdds = convolutions.reduce(
    (sum, convolution) => (logits.includes(convolution.result) ? sum : sum + convolution.multiplyAdds),
    0,
  );
  return { multiplyAdds, activations };
}
