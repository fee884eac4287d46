import { type ChildArchitecture, type Coarse, strideBetween } from '../architecture/architecture.ts';
import { blockOf } from '../architecture/blocks.ts';
import { childDimensions, kernelDepth, type NetworkDimensions } from '../architecture/dimensions.ts';
import type { Triple } from '../base/geometry.ts';
import { sum } from '../base/statistics.ts';
import { cell } from './cell.ts';
import type { WalkOptions } from './definition.ts';
import { defineNetwork, type Network } from './network.ts';
import type { Kernel, Layer, Operations } from './operations.ts';
import { coarsePrefix, withPrefix } from './prefix.ts';

/** Decoder levels whose logits are compared with the label: the finest, and two for deep supervision (Dou et al. 2016). */
const supervisedLevels = [0, 1, 2] as const;

/** A child of a search as a network: the base architecture with the child's choices. */
export function childNetwork(child: ChildArchitecture, dimensions: NetworkDimensions): Network {
  const own = childDimensions(child, dimensions);
  const shares = supervisedLevels.map((_, index) => 2 ** -index);
  const total = sum(shares);
  return defineNetwork({
    inputChannels: dimensions.inputChannels,
    classes: dimensions.classes,
    supervised: supervisedLevels.map((level, index) => ({
      stride: strideBetween(child, 0, level),
      weight: shares[index] / total,
    })),
    walk: (operations, image, options) => {
      const alone = () => baseArchitecture(operations, image, { child, dimensions: own, ...options });
      return child.coarse === undefined
        ? alone()
        : joined(operations, image, { coarse: child.coarse, dimensions, alone });
    },
  });
}

/**
 * A child and the network that it is joined with, which sees the mean of each cell of the volume: the finest logits are a weighted mean of both. The
 * coarse one goes first, for nothing but its logits is left of it when the other one takes its memory.
 */
function joined<Features>(
  operations: Operations<Features>,
  image: Features,
  {
    coarse: { downsampling, network, fine_share: share },
    dimensions,
    alone,
  }: {
    readonly coarse: Coarse;
    readonly dimensions: NetworkDimensions;
    readonly alone: () => readonly Features[];
  },
): readonly Features[] {
  const path = { child: network, dimensions: childDimensions(network, dimensions), deepSupervision: false };
  const ofCells = operations.scope(() => {
    const [logits] = baseArchitecture(
      withPrefix(operations, coarsePrefix),
      operations.downsample(image, downsampling, 'average'),
      path,
    );
    return share === undefined ? logits : operations.scale(logits, 1 - share);
  });
  const [finest, ...others] = alone();
  const own = share === undefined ? finest : operations.scale(finest, share);
  return [operations.upsampleAndAdd(ofCells, downsampling, own, [own]), ...others];
}

/** A child, the sizes of the network that it is a path through, and how this pass goes. */
interface Path extends WalkOptions {
  readonly child: ChildArchitecture;
  readonly dimensions: NetworkDimensions;
}

/**
 * The base architecture (paper, Fig. 2): a U-Net whose skip connections are added after a 1x1x1 convolution, with instance
 * normalisation and deep supervision. The child says strides, which encoder levels are added to which decoder level, and what each
 * level's block does; the kernels are the same for all children of a space.
 *
 * Any volume is taken as it is, without padding: poolings round up, and upsampling cuts what it has too much.
 *
 * @param image `[batch, channel, depth, height, width]`
 * @returns logits `[batch, class, depth, height, width]`, the finest level first; with deep supervision the coarser ones too,
 *   each in its level's own resolution
 */
function baseArchitecture<Features>(
  operations: Operations<Features>,
  image: Features,
  path: Path,
): readonly Features[] {
  const { child, dimensions, deepSupervision } = path;
  // Every level has a scope of its own: what neither a later level nor the backward pass needs is freed at once.
  const encoded: Features[] = [];
  child.encoder.forEach(({ pool }, level) => {
    const above = level === 0 ? image : encoded[level - 1];
    const stride: Triple = [pool.depth, pool.plane, pool.plane];
    encoded.push(operations.scope(() => encoderBlock(operations, path, level, operations.downsample(above, stride))));
  });

  const logits: Features[] = [];
  let features = encoded[encoded.length - 1];
  for (let level = child.decoder.length - 1; level >= 0; level -= 1) {
    const below = features;
    features = operations.scope(() =>
      block(operations, path, { part: 'decoder', level }, sumOfInputs(operations, path, level, [below, ...encoded])),
    );
    const isWanted = deepSupervision ? supervisedLevels.some((supervised) => supervised === level) : level === 0;
    const head = { ...pointwise(`head.${level}`, dimensions.classes), bias: `head.${level}.bias` };
    if (isWanted) logits.unshift(operations.convolution(features, head));
  }
  return logits;
}

/** What a decoder level takes in: the features of the level below and of the encoder levels it skips from, in its own size and channels. */
function sumOfInputs<Features>(
  operations: Operations<Features>,
  { child, dimensions, dropSkip }: Path,
  level: number,
  [below, ...encoded]: readonly Features[],
): Features {
  const skips = child.decoder[level].skips.filter((from) => !dropSkip?.(level, from));
  const project = (features: Features, name: string): Features =>
    operations.convolution(features, pointwise(`decoder.${level}.${name}`, dimensions.channels[level]));
  const finer = (from: number): Features =>
    project(operations.downsample(encoded[from], strideBetween(child, from, level)), `skip${from}`);
  const sum = operations.scope(() =>
    operations.upsampleAndAdd(
      project(below, 'below'),
      strideBetween(child, level, level + 1),
      encoded[level],
      skips.filter((from) => from <= level).map(finer),
    ),
  );
  const coarser = skips.filter((from) => from > level);
  return coarser.reduce(
    (added, from) =>
      operations.upsampleAndAdd(
        project(encoded[from], `skip${from}`),
        strideBetween(child, level, from),
        encoded[level],
        [added],
      ),
    sum,
  );
}

/** The part and level of the network whose weights a block has. */
interface Place {
  readonly part: 'encoder' | 'decoder';
  readonly level: number;
}

/** As {@link block}; a cell is given features as wide as the level: the scan by a 3x3x3 convolution, as ENAS's stem, others by a 1x1x1 one. */
function encoderBlock<Features>(
  operations: Operations<Features>,
  path: Path,
  level: number,
  input: Features,
): Features {
  const { child, dimensions } = path;
  const place = { part: 'encoder', level } as const;
  if (blockOf(child, 'encoder', level).kind !== 'cell') return block(operations, path, place, input);
  const [name, channels] = [`encoder.${level}.match`, dimensions.channels[level]];
  const match = level === 0 ? { name, channels, size: kernelSize(dimensions, 0, 3) } : pointwise(name, channels);
  return block(operations, path, place, operations.convolution(input, match));
}

/** What a level does to its features: its convolutions, to which their input may be added, or the child's cell. */
function block<Features>(
  operations: Operations<Features>,
  { child, dimensions }: Path,
  { part, level }: Place,
  input: Features,
): Features {
  const prefix = `${part}.${level}`;
  const channels = dimensions.channels[level];
  const own = blockOf(child, part, level);
  switch (own.kind) {
    case 'convolutions': {
      const size = kernelSize(dimensions, level, 3);
      const layers = Array.from({ length: own.convolutions }, (_, index) =>
        blockLayer(prefix, String(index + 1), { channels, size }, own.dilation),
      );
      const convolved = operations.convolutionBlock(input, layers, own);
      if (!own.residual) return convolved;
      const isAsWide = part === 'decoder' || (level > 0 && dimensions.channels[level - 1] === channels);
      const shortcut = isAsWide ? input : operations.convolution(input, pointwise(`${prefix}.shortcut`, channels));
      return operations.add(convolved, shortcut);
    }
    case 'cell':
      return cell(operations, input, own.cell, {
        prefix,
        channels,
        sizeOf: (edge) => kernelSize(dimensions, level, edge),
      });
  }
}

/** A convolution of a block; a dilated one takes its kernel through a matrix of its own (taps.ts). */
function blockLayer(prefix: string, name: string, kernel: Pick<Kernel, 'channels' | 'size'>, dilation: number): Layer {
  const taps = dilation > 1 && { taps: `${prefix}.taps${name}.dilation${dilation}` };
  return {
    kernel: { name: `${prefix}.conv${name}`, ...kernel, ...taps },
    norm: { scale: `${prefix}.scale${name}`, shift: `${prefix}.shift${name}` },
  };
}

const pointwise = (name: string, channels: number): Kernel => ({ name, channels, size: [1, 1, 1] });

const kernelSize = (dimensions: NetworkDimensions, level: number, edge: number): Triple => [
  kernelDepth(dimensions, level, edge),
  edge,
  edge,
];
