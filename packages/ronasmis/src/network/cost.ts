import type { Network } from './network.ts';
import type { Kernel, Operations } from './operations.ts';

/** What a network costs, for one voxel of its input. */
export interface Cost {
  /**
   * Multiply-adds of the forward pass, to which its time is nearly proportional: those of all convolutions, without the heads, which are
   * the same for all children: whatever gives the logits.
   */
  readonly multiplyAdds: number;
  /** Elements that norms and the poolings of cells keep for the backward pass, to which the memory of training is nearly proportional. */
  readonly activations: number;
}

/** Channels, and voxels for each voxel of the input: the inverse of all strides. */
interface Extent {
  readonly channels: number;
  readonly volume: number;
}

/** The indices of a max pooling are of 8 bytes each: as much as two elements. */
const keptByPooling = 2;

/** What a network costs: a walk through it that knows of features only how many there are. */
export function costOf(network: Pick<Network, 'walk' | 'inputChannels'>): Cost {
  let activations = 0;
  const convolutions: { readonly result: Extent; readonly multiplyAdds: number }[] = [];
  const convolve = ({ channels, volume }: Extent, kernel: Kernel): Extent => {
    const [depth, height, width] = kernel.size;
    const result = { channels: kernel.channels, volume };
    convolutions.push({ result, multiplyAdds: depth * height * width * channels * kernel.channels * volume });
    return result;
  };
  const keep = (features: Extent, times: number): Extent => {
    activations += times * features.channels * features.volume;
    return features;
  };
  const operations: Operations<Extent> = {
    downsample: ({ channels, volume }, [depth, height, width]) => ({
      channels,
      volume: volume / (depth * height * width),
    }),
    convolutionBlock: (features, layers) =>
      layers.reduce((from, { kernel }) => keep(convolve(from, kernel), 1), features),
    convolution: convolve,
    upsampleAndAdd: ({ channels }, _stride, { volume }) => ({ channels, volume }),
    add: (one) => one,
    pool: (features) => keep(features, keptByPooling),
    normalise: (features) => keep(features, 1),
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
