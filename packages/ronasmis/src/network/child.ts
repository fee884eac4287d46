import {
  convolution3d,
  deinterleave,
  interleave,
  interleavingFor,
  maxPool3d,
  normaliseAndActivate,
  pointwiseConvolution3d,
  type Tensor,
  upsampleAndAdd,
} from '@ronasmis/libtorch';
import type { Activation, Architecture } from '../space/architecture.ts';
import { supervisedLevels, type Weights, weight } from './weights.ts';

type Volume = readonly [number, number, number];

/** How a forward pass differs in training. */
export interface ForwardOptions {
  /** Logits of all supervised levels, not of the finest alone. */
  readonly deepSupervision: boolean;
  /** Whether a skip is left out this time: the zero operation, which regularises (drop-path). Never at prediction. */
  readonly dropSkip?: (level: number, from: number) => boolean;
}

/**
 * The base architecture (paper, Fig. 2): a U-Net whose skip connections are added after a 1x1x1 convolution, with instance
 * normalisation and deep supervision. The child says strides, dilations, activations and which encoder levels are added to
 * which decoder level; the kernels are the same for all children.
 *
 * Any volume is taken as it is, without padding: poolings round up, and upsampling cuts what it has too much.
 *
 * @param image [batch, channel, depth, height, width]
 * @returns logits [batch, class, depth, height, width], the finest level first; with deep supervision the coarser ones too,
 *   each in its level's own resolution.
 */
export function forward(
  weights: Weights,
  child: Architecture,
  image: Tensor,
  options: ForwardOptions,
): readonly Tensor[] {
  const encoded: Tensor[] = [];
  let features = image;
  child.encoder.forEach((choice, level) => {
    const { pool } = choice;
    if (level > 0) features = downsample(features, [pool.depth, pool.plane, pool.plane]);
    features = block(weights, `encoder.${level}`, features, choice);
    encoded.push(features);
  });

  const logits: Tensor[] = [];
  for (let level = child.decoder.length - 1; level >= 0; level -= 1) {
    const choice = child.decoder[level];
    const size = spatial(encoded[level]);
    const skips = choice.skips.filter((from) => !options.dropSkip?.(level, from));
    const finer = skips.filter((from) => from <= level);
    const coarser = skips.filter((from) => from > level);
    features = pointwise(weights, `decoder.${level}.below`, features);
    features = upsampleAndAdd(
      features,
      strideBetween(child, level, level + 1),
      size,
      finer.map((from) => skip(weights, child, encoded[from], from, level)),
    );
    for (const from of coarser) {
      const below = pointwise(weights, `decoder.${level}.skip${from}`, encoded[from]);
      features = upsampleAndAdd(below, strideBetween(child, level, from), size, [features]);
    }
    features = block(weights, `decoder.${level}`, features, choice);
    const wanted = options.deepSupervision ? supervisedLevels.some((supervised) => supervised === level) : level === 0;
    if (wanted)
      logits.unshift(
        pointwiseConvolution3d(features, weight(weights, `head.${level}`), weight(weights, `head.${level}.bias`)),
      );
  }
  return logits;
}

/** Two 3x3x3 convolutions, each with instance normalisation and the level's activation. */
function block(
  weights: Weights,
  prefix: string,
  input: Tensor,
  { dilation, activation }: { readonly dilation: number; readonly activation: Activation },
): Tensor {
  const interleaving = interleavingFor(input, dilation);
  let features = interleave(input, interleaving);
  for (const conv of [1, 2]) {
    const kernel = weight(weights, `${prefix}.conv${conv}`);
    const convolved = convolution3d(features, kernel, dilation / interleaving.dilation);
    const [scale, shift] = [weight(weights, `${prefix}.scale${conv}`), weight(weights, `${prefix}.shift${conv}`)];
    features = normaliseAndActivate(convolved, scale, shift, activation, interleaving);
  }
  return deinterleave(features, interleaving);
}

function pointwise(weights: Weights, name: string, features: Tensor): Tensor {
  return pointwiseConvolution3d(features, weight(weights, name));
}

/** What the poolings between two levels multiply to. */
export function strideBetween(child: Architecture, fine: number, coarse: number): Volume {
  const between = child.encoder.slice(fine + 1, coarse + 1);
  const depth = between.reduce((product, { pool }) => product * pool.depth, 1);
  const plane = between.reduce((product, { pool }) => product * pool.plane, 1);
  return [depth, plane, plane];
}

/** Finer encoder features as a decoder level adds them: its size by pooling, its channels by a 1x1x1 convolution. */
function skip(weights: Weights, child: Architecture, features: Tensor, from: number, level: number): Tensor {
  return pointwise(weights, `decoder.${level}.skip${from}`, downsample(features, strideBetween(child, from, level)));
}

/** Largest value of each cell; the last cell of an axis may be a part of one. */
function downsample(features: Tensor, stride: Volume): Tensor {
  if (stride.every((step) => step === 1)) return features;
  return maxPool3d(features, stride, stride, 0, 1, true);
}

function spatial(features: Tensor): Volume {
  const [, , depth, height, width] = features.shape;
  return [depth, height, width];
}
