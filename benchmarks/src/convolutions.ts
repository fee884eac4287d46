import {
  call,
  convolution3d,
  keep,
  noGradient,
  normalInPlace,
  pointwiseConvolution3d,
  scope,
  type Tensor,
  to,
  zeros,
} from '@ronasmis/libtorch';
import type { NetworkDimensions } from 'ronasmis';
import { createWeights, dataTypeOf, macroSpace, networkOf, weight } from 'ronasmis/internal';
import { type Repetition, timed } from './rounds.ts';
import type { Compute, Size } from './training.ts';

interface Layer {
  readonly input: Tensor;
  readonly kernel: Tensor;
  readonly gradient: Tensor;
}

/**
 * The convolutions of the base child by themselves, on `patches` volumes: forward through all, then backward through all,
 * with nothing between them.
 */
export function bareConvolutions(
  dimensions: NetworkDimensions,
  compute: Compute,
  patches: number,
  volume: Size,
): Repetition {
  const layers = keep(() => makeLayers(dimensions, compute, patches, volume));
  return () => {
    const seconds = timed(() =>
      scope(() => {
        const outputs = layers.map(({ input, kernel }) =>
          kernel.shape[2] === 1 ? pointwiseConvolution3d(input, kernel) : convolution3d(input, kernel),
        );
        outputs.toReversed().forEach((output, i) => {
          call('aten::_backward', '', output, [], layers[layers.length - 1 - i].gradient, null, false);
        });
        // A GPU has finished once something is read back.
        layers[0].kernel.gradient?.toNumbers();
      }),
    );
    for (const { input, kernel } of layers) {
      input.clearGradient();
      kernel.clearGradient();
    }
    return seconds;
  };
}

function makeLayers(
  dimensions: NetworkDimensions,
  { device, precision }: Compute,
  patches: number,
  volume: Size,
): readonly Layer[] {
  const { parameters, auxiliaryParameters } = networkOf(macroSpace(volume, dimensions).base, dimensions);
  const weights = createWeights([...parameters, ...auxiliaryParameters], 'cpu', 1);
  const noise = (channels: number, level: number): Tensor => {
    const size = volume.map((extent) => Math.ceil(extent / 2 ** level));
    const values = zeros([patches, channels, ...size], { dataType: 'float32' });
    normalInPlace(values);
    return to(values, { dataType: dataTypeOf[precision], device, copy: true, memoryFormat: 'channels_last_3d' });
  };
  const layer = ({ name, level }: Place, index: number): Layer => {
    const kernel = to(weight(weights, name), { dataType: dataTypeOf[precision], device, copy: true });
    const [width, from] = kernel.shape;
    const input = noise(from, level);
    kernel.requiresGradient = true;
    // The image itself needs no gradient.
    input.requiresGradient = index > 0;
    return { input, kernel, gradient: noise(width, level) };
  };
  return noGradient(() => places(dimensions).map(layer));
}

/** Decoder levels that have a head in training. */
const supervisedLevels = [0, 1, 2];

interface Place {
  readonly name: string;
  /** Whose resolution it works in. */
  readonly level: number;
}

/** The base child's convolutions in the order of its forward pass. */
function places({ channels }: NetworkDimensions): readonly Place[] {
  const block = (part: string, level: number): Place[] =>
    [1, 2].map((conv) => ({ name: `${part}.${level}.conv${conv}`, level }));
  const encoder = channels.flatMap((_, level) => block('encoder', level));
  const decoder = channels
    .slice(0, -1)
    .flatMap((_, level) => [
      { name: `decoder.${level}.below`, level: level + 1 },
      { name: `decoder.${level}.skip${level}`, level },
      ...block('decoder', level),
    ]);
  return [...encoder, ...decoder, ...supervisedLevels.map((level) => ({ name: `head.${level}`, level }))];
}
