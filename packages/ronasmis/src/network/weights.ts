import {
  type DataType,
  type Device,
  full,
  layOutKernel,
  manualSeed,
  noGradient,
  normalInPlace,
  scope,
  type Tensor,
  to,
  zeros,
} from '@ronasmis/libtorch';
import type { Architecture } from '../space/architecture.ts';
import { levels, type NetworkDimensions } from './dimensions.ts';

/** Tensors by name. All children use the same ones: a kernel serves every dilation, activation and stride. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Decoder levels whose logits are compared with the label: the finest, and two for deep supervision (Dou et al. 2016). */
export const supervisedLevels = [0, 1, 2] as const;

type Kind = 'kernel' | 'scale' | 'shift';
interface Entry {
  readonly name: string;
  readonly kind: Kind;
  readonly shape: readonly number[];
}

function blockEntries(prefix: string, from: number, width: number): Entry[] {
  return [1, 2].flatMap((conv): Entry[] => [
    { name: `${prefix}.conv${conv}`, kind: 'kernel', shape: [width, conv === 1 ? from : width, 3, 3, 3] },
    { name: `${prefix}.scale${conv}`, kind: 'scale', shape: [width] },
    { name: `${prefix}.shift${conv}`, kind: 'shift', shape: [width] },
  ]);
}

/** Every weight of the base architecture, in the order of the forward pass. Kernels are [out, in, depth, height, width]. */
function entries({ channels, inputChannels, classes }: NetworkDimensions): Entry[] {
  const pointwise = (name: string, from: number, to: number): Entry => ({
    name,
    kind: 'kernel',
    shape: [to, from, 1, 1, 1],
  });
  const encoder = channels.flatMap((width, level) =>
    blockEntries(`encoder.${level}`, level === 0 ? inputChannels : channels[level - 1], width),
  );
  const decoder = channels
    .slice(0, -1)
    .flatMap((width, level) => [
      pointwise(`decoder.${level}.below`, channels[level + 1], width),
      ...channels.slice(0, -1).map((from, skip) => pointwise(`decoder.${level}.skip${skip}`, from, width)),
      ...blockEntries(`decoder.${level}`, width, width),
    ]);
  const heads = supervisedLevels.flatMap((level): Entry[] => [
    pointwise(`head.${level}`, channels[level], classes),
    { name: `head.${level}.bias`, kind: 'shift', shape: [classes] },
  ]);
  return [...encoder, ...decoder, ...heads];
}

function initial({ kind, shape }: Entry, device: Device): Tensor {
  if (kind === 'shift') return zeros(shape, 'float32', null, device);
  if (kind === 'scale') return full(shape, 1, 'float32', null, device);
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  return scope(() => {
    const values = zeros(shape, 'float32');
    normalInPlace(values, 0, Math.sqrt(2 / fanIn));
    return layOutKernel(to(values, 'float32', null, device));
  });
}

/**
 * The shared weights, float32, ready to be trained: kernels by He et al. 2015 (normal, variance 2 / fan-in), scales 1,
 * shifts 0. `seed` decides them, whatever the device.
 */
export function createWeights(dimensions: NetworkDimensions, device: Device, seed: number): Weights {
  manualSeed(seed);
  return noGradient(
    () =>
      new Map(
        entries(dimensions).map((entry) => {
          const tensor = initial(entry, device);
          tensor.requiresGradient = true;
          return [entry.name, tensor];
        }),
      ),
  );
}

/** Names of the weights on a child's path through the network, without the heads that only deep supervision uses. */
export function childWeightNames(architecture: Architecture): readonly string[] {
  const block = (prefix: string): string[] =>
    [1, 2].flatMap((conv) => ['conv', 'scale', 'shift'].map((kind) => `${prefix}.${kind}${conv}`));
  return [
    ...architecture.encoder.flatMap((_, level) => block(`encoder.${level}`)),
    ...architecture.decoder.flatMap(({ skips }, level) => [
      `decoder.${level}.below`,
      ...skips.map((from) => `decoder.${level}.skip${from}`),
      ...block(`decoder.${level}`),
    ]),
    'head.0',
    'head.0.bias',
  ];
}

/** Trained numbers of a child. */
export function parameterCount(weights: Weights, architecture: Architecture): number {
  return childWeightNames(architecture).reduce((sum, name) => sum + elements(weights, name), 0);
}

function elements(weights: Weights, name: string): number {
  return weight(weights, name).shape.reduce((product, size) => product * size, 1);
}

/** The weight of this name; throws where the network has none. */
export function weight(weights: Weights, name: string): Tensor {
  const found = weights.get(name);
  if (!found) throw new Error(`The network has no weight '${name}'.`);
  return found;
}

/** The weights in the precision that the forward pass computes in; float32 weights are handed on as they are. */
export function castWeights(weights: Weights, names: Iterable<string>, dataType: DataType): Weights {
  if (dataType === 'float32') return weights;
  return new Map(Array.from(names, (name) => [name, to(weight(weights, name), dataType)]));
}

/** Names of the heads that deep supervision adds to a child's weights while it trains. */
export const supervisionWeightNames: readonly string[] = supervisedLevels
  .slice(1)
  .flatMap((level) => [`head.${level}`, `head.${level}.bias`]);

if (levels <= Math.max(...supervisedLevels))
  throw new Error('Deep supervision needs a decoder level that the network does not have.');
