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
  tensor,
  to,
  zeros,
} from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { cellNodes, type OperationName, operations } from '../architecture/cell.ts';
import { kernelDepth, levels, type NetworkDimensions } from '../architecture/dimensions.ts';
import { mixedDilations, mixTaps, tapsName, tapsNames } from './taps.ts';

/**
 * Tensors by name, which all children of a space share.
 * - Macro: a level's kernel serves every dilation, activation and stride (paper), each dilation but 1 through a matrix that mixes its taps.
 * - Micro: a kernel belongs to a level, a node, one of its two inputs and a kernel size (ENAS: to an operation). It serves whichever
 *   features the input is, and both dilations.
 */
export type Weights = ReadonlyMap<string, Tensor>;

/** Decoder levels whose logits are compared with the label: the finest, and two for deep supervision (Dou et al. 2016). */
export const supervisedLevels = [0, 1, 2] as const;

type Kind = 'kernel' | 'scale' | 'shift' | 'taps';
interface Entry {
  readonly name: string;
  readonly kind: Kind;
  readonly shape: readonly number[];
}

/** Depth, height and width of a kernel. */
type KernelSize = readonly [number, number, number];

/** A convolution's kernel [out, in, depth, height, width] and its norm's scale and shift, as `convolutions` looks them up. */
function convolutionEntries(prefix: string, name: string, from: number, width: number, size: KernelSize): Entry[] {
  return [
    { name: `${prefix}.conv${name}`, kind: 'kernel', shape: [width, from, ...size] },
    ...normEntries(prefix, name, width),
  ];
}

function normEntries(prefix: string, name: string, width: number): Entry[] {
  return [
    { name: `${prefix}.scale${name}`, kind: 'scale', shape: [width] },
    { name: `${prefix}.shift${name}`, kind: 'shift', shape: [width] },
  ];
}

const pointwiseEntry = (name: string, from: number, to: number): Entry => ({
  name,
  kind: 'kernel',
  shape: [to, from, 1, 1, 1],
});

/** Two convolutions (macro). */
function blockEntries(prefix: string, from: number, width: number, size: KernelSize): Entry[] {
  return ['1', '2'].flatMap((conv) => convolutionEntries(prefix, conv, conv === '1' ? from : width, width, size));
}

/** How dilated levels take the kernels of their two convolutions (macro). */
function tapsEntries(prefix: string, [depth, height, width]: KernelSize): Entry[] {
  const taps = depth * height * width;
  return ['1', '2'].flatMap((conv) =>
    mixedDilations.map((dilation) => ({ name: tapsName(prefix, conv, dilation), kind: 'taps', shape: [taps, taps] })),
  );
}

/** The norm of a cell's output, and a kernel of each size for either input of every node (micro). */
function cellEntries(prefix: string, width: number, sizeOf: (edge: number) => KernelSize): Entry[] {
  const kernels = Array.from({ length: cellNodes }, (_, node) =>
    [0, 1].flatMap((slot) =>
      kernelOperations.flatMap((operation) =>
        convolutionEntries(
          termWeights(prefix, node, slot, operation),
          '',
          width,
          width,
          sizeOf(operations[operation].kernel),
        ),
      ),
    ),
  );
  return [...normEntries(prefix, '', width), ...kernels.flat()];
}

/** An operation for each size of kernel that the operations have. */
const kernelOperations = ['convolution', 'pointwise_convolution'] as const satisfies readonly OperationName[];

/** Where the weights of an operation on an input of a node stand; node and slot count from 0. */
export function termWeights(prefix: string, node: number, slot: number, operation: OperationName): string {
  const { kernel } = operations[operation];
  return `${prefix}.node${node + 1}.input${slot + 1}.${kernel}x${kernel}x${kernel}`;
}

/** Every weight of a space's base architecture, in the order of the forward pass, matrices of taps last. Kernels are [out, in, depth, height, width]. */
function entries(space: Architecture['space'], dimensions: NetworkDimensions): Entry[] {
  const { channels, inputChannels, classes } = dimensions;
  const sizeAt =
    (level: number) =>
    (edge: number): KernelSize => [kernelDepth(dimensions, level, edge), edge, edge];
  const encoder = channels.flatMap((width, level) => {
    const [prefix, from] = [`encoder.${level}`, level === 0 ? inputChannels : channels[level - 1]];
    if (space === 'macro') return blockEntries(prefix, from, width, sizeAt(level)(3));
    const match: Entry = {
      name: `${prefix}.match`,
      kind: 'kernel',
      shape: [width, from, ...sizeAt(level)(level === 0 ? 3 : 1)],
    };
    return [match, ...cellEntries(prefix, width, sizeAt(level))];
  });
  const decoder = channels
    .slice(0, -1)
    .flatMap((width, level) => [
      pointwiseEntry(`decoder.${level}.below`, channels[level + 1], width),
      ...channels.slice(0, -1).map((from, skip) => pointwiseEntry(`decoder.${level}.skip${skip}`, from, width)),
      ...(space === 'macro'
        ? blockEntries(`decoder.${level}`, width, width, sizeAt(level)(3))
        : cellEntries(`decoder.${level}`, width, sizeAt(level))),
    ]);
  const heads = supervisedLevels.flatMap((level): Entry[] => [
    pointwiseEntry(`head.${level}`, channels[level], classes),
    { name: `head.${level}.bias`, kind: 'shift', shape: [classes] },
  ]);
  const blocks = [
    ...channels.map((_, level) => ['encoder', level] as const),
    ...channels.slice(1).map((_, level) => ['decoder', level] as const),
  ];
  const taps =
    space === 'macro' ? blocks.flatMap(([part, level]) => tapsEntries(`${part}.${level}`, sizeAt(level)(3))) : [];
  return [...encoder, ...decoder, ...heads, ...taps];
}

/** The shape of each of the shared weights of a space, by name. */
export function weightShapes(
  space: Architecture['space'],
  dimensions: NetworkDimensions,
): ReadonlyMap<string, readonly number[]> {
  return new Map(entries(space, dimensions).map(({ name, shape }) => [name, shape]));
}

/** How many numbers the shared weights of a space are, or those of `child` alone, with the heads of deep supervision. */
export function weightCount(space: Architecture['space'], dimensions: NetworkDimensions, child?: Architecture): number {
  const names = child && new Set([...childWeightNames(child), ...supervisionWeightNames]);
  return elementCount(entries(space, dimensions).filter(({ name }) => !names || names.has(name)));
}

function elementCount(entries: readonly Entry[]): number {
  const counts = entries.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  return counts.reduce((sum, count) => sum + count, 0);
}

function identity(size: number): Tensor {
  return tensor(
    Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)),
    [size, size],
  );
}

function initial({ kind, shape }: Entry, device: Device): Tensor {
  if (kind === 'shift') return zeros(shape, 'float32', null, device);
  if (kind === 'taps') return scope(() => to(identity(shape[0]), 'float32', null, device));
  if (kind === 'scale') return full(shape, 1, 'float32', null, device);
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  return scope(() => {
    const values = zeros(shape, 'float32');
    normalInPlace(values, 0, Math.sqrt(2 / fanIn));
    return layOutKernel(to(values, 'float32', null, device));
  });
}

/**
 * The shared weights of a space, float32, ready to be trained: kernels by He et al. 2015 (normal, variance 2 / fan-in), scales 1,
 * shifts 0, matrices of taps the identity. `seed` decides them, whatever the device.
 */
export function createWeights(
  space: Architecture['space'],
  dimensions: NetworkDimensions,
  device: Device,
  seed: number,
): Weights {
  manualSeed(seed);
  return noGradient(
    () =>
      new Map(
        entries(space, dimensions).map((entry) => {
          const tensor = initial(entry, device);
          tensor.requiresGradient = true;
          return [entry.name, tensor];
        }),
      ),
  );
}

/** Names of the weights on a child's path through the network, without the heads that only deep supervision uses. */
export function childWeightNames(architecture: Architecture): readonly string[] {
  const { space, encoder, decoder } = architecture;
  return [
    ...encoder.flatMap((_, level) => [
      ...(space === 'micro' ? [`encoder.${level}.match`] : []),
      ...blockWeightNames(architecture, `encoder.${level}`),
    ]),
    ...decoder.flatMap(({ skips }, level) => [
      `decoder.${level}.below`,
      ...skips.map((from) => `decoder.${level}.skip${from}`),
      ...blockWeightNames(architecture, `decoder.${level}`),
    ]),
    'head.0',
    'head.0.bias',
  ];
}

function blockWeightNames(architecture: Architecture, prefix: string): readonly string[] {
  const norm = (of: string, name: string): string[] => [`${of}.scale${name}`, `${of}.shift${name}`];
  const convolution = (of: string, name: string): string[] => [`${of}.conv${name}`, ...norm(of, name)];
  if (architecture.space === 'macro') return ['1', '2'].flatMap((name) => convolution(prefix, name));
  const terms = architecture.cell.flatMap((terms, node) =>
    terms.flatMap(({ operation }, slot) =>
      operations[operation].kernel === 0 ? [] : convolution(termWeights(prefix, node, slot, operation), ''),
    ),
  );
  return [...norm(prefix, ''), ...terms];
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

/**
 * The weights that a child of the shared ones computes with, by their names, in the precision of the forward pass: gradients pass through to the
 * shared ones. Kernels of a dilated level (macro) are what its matrices make of the shared ones. Of float32 the others are handed on as they are.
 * @param names those that are wanted, by default those of {@link childWeightNames}
 */
export function childWeights(
  weights: Weights,
  child: Architecture,
  dataType: DataType,
  names: readonly string[] = childWeightNames(child),
): Weights {
  const taps = tapsNames(child);
  return scope(() => {
    const own = names.map((name): [string, Tensor] => {
      const by = taps.get(name);
      const shared = weight(weights, name);
      return [name, by === undefined ? shared : mixTaps(shared, weight(weights, by))];
    });
    return castWeights(new Map(own), names, dataType);
  });
}

/** Frees what {@link childWeights} made, and no shared weight. */
export function freeChildWeights(own: Weights, shared: Weights): void {
  for (const [name, tensor] of own) if (tensor !== shared.get(name)) tensor.free();
}

/** How many numbers the kernels of a child are that its dilated levels have beside the shared ones. */
export function mixedCount(dimensions: NetworkDimensions, child: Architecture): number {
  const taps = tapsNames(child);
  return elementCount(entries(child.space, dimensions).filter(({ name }) => taps.has(name)));
}

/** Names of the heads that deep supervision adds to a child's weights while it trains. */
export const supervisionWeightNames: readonly string[] = supervisedLevels
  .slice(1)
  .flatMap((level) => [`head.${level}`, `head.${level}.bias`]);

if (levels <= Math.max(...supervisedLevels))
  throw new Error('Deep supervision needs a decoder level that the network does not have.');
