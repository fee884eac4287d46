import {
  convolution3d,
  maxPool3d,
  pointwiseConvolution3d,
  scope,
  type Tensor,
  upsampleAndAdd,
} from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { cell } from './cell.ts';
import { convolutions } from './convolutions.ts';
import { supervisedLevels, type Weights, weight } from './weights.ts';

export type Volume = readonly [number, number, number];

/** How a forward pass differs in training. */
export interface ForwardOptions {
  /** Logits of all supervised levels, not of the finest alone. */
  readonly deepSupervision: boolean;
  /** Whether a skip is left out this time: the zero operation, which regularises (drop-path). Never at prediction. */
  readonly dropSkip?: (level: number, from: number) => boolean;
}

/**
 * The base architecture (paper, Fig. 2): a U-Net whose skip connections are added after a 1x1x1 convolution, with instance
 * normalisation and deep supervision. The child says strides, which encoder levels are added to which decoder level, and what each
 * level's block does; the kernels are the same for all children of a space.
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
  // Every level has a scope of its own: what neither a later level nor the way back needs is freed at once.
  const encoded: Tensor[] = [];
  child.encoder.forEach(({ pool }, level) => {
    const above = level === 0 ? image : encoded[level - 1];
    const stride: Volume = [pool.depth, pool.plane, pool.plane];
    encoded.push(scope(() => block(weights, child, 'encoder', level, downsample(above, stride))));
  });

  const logits: Tensor[] = [];
  let features = encoded[encoded.length - 1];
  for (let level = child.decoder.length - 1; level >= 0; level -= 1) {
    const skips = child.decoder[level].skips.filter((from) => !options.dropSkip?.(level, from));
    const below = features;
    features = scope(() =>
      block(weights, child, 'decoder', level, sumOfInputs(weights, child, level, below, encoded, skips)),
    );
    const wanted = options.deepSupervision ? supervisedLevels.some((supervised) => supervised === level) : level === 0;
    if (wanted)
      logits.unshift(
        pointwiseConvolution3d(features, weight(weights, `head.${level}`), weight(weights, `head.${level}.bias`)),
      );
  }
  return logits;
}

/** What a decoder level takes in: the features of the level below and of the encoder levels `skips`, in its own size and channels. */
function sumOfInputs(
  weights: Weights,
  child: Architecture,
  level: number,
  below: Tensor,
  encoded: readonly Tensor[],
  skips: readonly number[],
): Tensor {
  const size = spatial(encoded[level]);
  const finer = skips.filter((from) => from <= level);
  const coarser = skips.filter((from) => from > level);
  const sum = scope(() =>
    upsampleAndAdd(
      pointwise(weights, `decoder.${level}.below`, below),
      strideBetween(child, level, level + 1),
      size,
      finer.map((from) => skip(weights, child, encoded[from], from, level)),
    ),
  );
  return coarser.reduce((added, from) => {
    const projected = pointwise(weights, `decoder.${level}.skip${from}`, encoded[from]);
    return upsampleAndAdd(projected, strideBetween(child, level, from), size, [added]);
  }, sum);
}

/** What a level does to its features, `part.level` being its weights: two convolutions (macro), or the child's cell (micro). */
function block(
  weights: Weights,
  child: Architecture,
  part: 'encoder' | 'decoder',
  level: number,
  input: Tensor,
): Tensor {
  const prefix = `${part}.${level}`;
  switch (child.space) {
    case 'macro':
      return convolutions(weights, prefix, ['1', '2'], input, child[part][level]);
    case 'micro':
      // The decoder's 1x1x1 convolutions have brought its input to the level's channels already.
      return cell(weights, prefix, part === 'encoder' ? matchChannels(weights, level, input) : input, child.cell);
  }
}

/** Features as wide as an encoder level: the scan by a 3x3x3 convolution, as ENAS's stem, those of the level above by a 1x1x1 one. */
function matchChannels(weights: Weights, level: number, input: Tensor): Tensor {
  const name = `encoder.${level}.match`;
  return level === 0 ? convolution3d(input, weight(weights, name)) : pointwise(weights, name, input);
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
