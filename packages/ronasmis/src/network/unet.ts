import type { UNet } from '../architecture/unet.ts';
import { isOne, productOf, type Triple } from '../base/geometry.ts';
import { sum } from '../base/statistics.ts';
import type { Supervision } from './definition.ts';
import { defineNetwork, type Network } from './network.ts';
import type { Kernel, Layer, Norm, Operations } from './operations.ts';

/** nnU-Net's, of slope 0.01. */
const activation = 'leaky_relu';
const noStride: Triple = [1, 1, 1];

/**
 * A U-Net of nnU-Net's form as a network (nnU-Net v2, Isensee et al. 2021; its `PlainConvUNet`, `ResidualEncoderUNet` and, with residual blocks in
 * the decoder too, `ResidualUNet`): convolutions with instance normalisation and leaky ReLU, the first of a stage with its stride; back up by
 * transposed convolutions, whose result is concatenated with the encoder's of the same stage.
 *
 * As nnU-Net's in all but three points, which change nothing of what it computes: convolutions before a norm have no bias, which the norm would
 * take out again; the head of the lowest stage, whose share of the loss is 0, is left out; and volumes of any size are taken, of which nnU-Net
 * takes those that all strides divide. Of others strides round up, and what comes back up is cut to the size of what it is concatenated with.
 *
 * @param inputChannels of the scan
 * @param classes the background included
 */
export function unetNetwork(
  architecture: UNet,
  { inputChannels, classes }: { readonly inputChannels: number; readonly classes: number },
): Network {
  const supervised = supervisedStages(architecture);
  return defineNetwork({
    inputChannels,
    classes,
    supervised,
    walk: (operations, image, { deepSupervision }) => {
      const encoded = encode(operations, architecture, image, inputChannels);
      const decoded = decode(operations, architecture, encoded);
      return decoded.slice(0, deepSupervision ? supervised.length : 1).map((features, stage) => {
        const head = { ...pointwise(`head.${stage}`, classes), bias: `head.${stage}.bias` };
        return operations.convolution(features, head);
      });
    },
  });
}

/**
 * The decoder's stages, but the lowest where there are several, each with half the weight of the one above it (nnU-Net's
 * `_build_loss`, where the lowest has a weight of 0).
 */
function supervisedStages({ decoder, strides }: UNet): readonly Supervision[] {
  const shares = Array.from({ length: Math.max(1, decoder.counts.length - 1) }, (_, stage) => 2 ** -stage);
  const total = sum(shares);
  return shares.map((share, stage) => {
    const stride = productOf(strides.slice(0, stage + 1));
    return { stride, offset: middleOf(stride), weight: share / total };
  });
}

/** The voxel of a cell that nnU-Net compares (`DownsampleSegForDSTransform`, whose interpolation is "nearest-exact"). */
const middleOf = ([depth, height, width]: Triple): Triple => [
  Math.floor(depth / 2),
  Math.floor(height / 2),
  Math.floor(width / 2),
];

/** What each stage of the encoder makes, the full resolution first. */
function encode<Features>(
  operations: Operations<Features>,
  { features, kernels, strides, encoder }: UNet,
  image: Features,
  inputChannels: number,
): readonly Features[] {
  const encoded: Features[] = [];
  let below = image;
  let from = inputChannels;
  if (encoder.block === 'residual') {
    const stem = { prefix: 'stem', from, channels: features[0], size: kernels[0], stride: noStride };
    below = blocks(operations, image, stem, { block: 'convolutions', count: 1 });
    [from] = features;
  }
  features.forEach((channels, stage) => {
    const place = { prefix: `encoder.${stage}`, from, channels, size: kernels[stage], stride: strides[stage] };
    const above = below;
    const count = encoder.counts[stage];
    below = operations.scope(() => blocks(operations, above, place, { block: encoder.block, count }));
    from = channels;
    encoded.push(below);
  });
  return encoded;
}

/** What each stage of the decoder makes, the full resolution first. */
function decode<Features>(
  operations: Operations<Features>,
  { features, kernels, strides, decoder }: UNet,
  encoded: readonly Features[],
): readonly Features[] {
  const decoded: Features[] = [];
  for (let stage = decoder.counts.length - 1; stage >= 0; stage -= 1) {
    const [below = encoded[stage + 1]] = decoded;
    const [channels, skip, prefix] = [features[stage], encoded[stage], `decoder.${stage}`];
    const up = { name: `${prefix}.up`, channels, size: strides[stage + 1], bias: `${prefix}.up.bias` };
    const place = { prefix, from: 2 * channels, channels, size: kernels[stage], stride: noStride };
    const result = operations.scope(() => {
      const joined = operations.scope(() =>
        operations.concatenate([operations.transposedConvolution(below, up, skip), skip]),
      );
      return blocks(operations, joined, place, { block: decoder.block, count: decoder.counts[stage] });
    });
    decoded.unshift(result);
  }
  return decoded;
}

/** Where a stage's weights stand, and how they change what flows through. */
interface Place {
  readonly prefix: string;
  /** Channels that come in, and that leave. */
  readonly from: number;
  readonly channels: number;
  /** Of the kernels. */
  readonly size: Triple;
  /** Of the first convolution. */
  readonly stride: Triple;
}

/** A stage: convolutions, or residual blocks, one after the other. */
function blocks<Features>(
  operations: Operations<Features>,
  input: Features,
  place: Place,
  { block, count }: { readonly block: UNet['encoder']['block']; readonly count: number },
): Features {
  return Array.from({ length: count }, (_, index) => index).reduce((features, index) => {
    const own = index === 0 ? place : { ...place, from: place.channels, stride: noStride };
    if (block === 'convolutions') return convolutionOf(operations, features, own, `${index + 1}`);
    const prefix = `${place.prefix}.block${index + 1}`;
    return operations.scope(() => residualBlock(operations, features, { ...own, prefix }));
  }, input);
}

/** A convolution with norm and activation. */
function convolutionOf<Features>(
  operations: Operations<Features>,
  input: Features,
  place: Place,
  name: string,
): Features {
  const layer = layerOf(place, name);
  if (isOne(place.stride)) return operations.convolutionBlock(input, [layer], { dilation: 1, activation });
  return operations.scope(() =>
    operations.normalise(operations.convolution(input, layer.kernel, place.stride), layer.norm, activation),
  );
}

/**
 * Two convolutions, to which their input is added before the last activation (He et al. 2015). Where the first has a stride or the width
 * changes, the input is pooled by its mean and given its width by a 1x1x1 convolution with a norm (ResNet-D, He et al. 2019).
 */
function residualBlock<Features>(operations: Operations<Features>, input: Features, place: Place): Features {
  const { prefix, from, channels, stride } = place;
  const inner = operations.scope(() => {
    const { kernel, norm } = layerOf(place, '2');
    const convolved = operations.convolution(convolutionOf(operations, input, place, '1'), kernel);
    return operations.normalise(convolved, { ...norm, startsAtZero: true });
  });
  const shortcut = operations.scope(() => {
    const pooled = operations.downsample(input, stride, 'average');
    if (from === channels) return pooled;
    const name = `${prefix}.shortcut`;
    return operations.normalise(operations.convolution(pooled, pointwise(name, channels)), normOf(name, ''));
  });
  return operations.activate(operations.add(inner, shortcut), activation);
}

function layerOf({ prefix, channels, size }: Place, name: string): Layer {
  return { kernel: { name: `${prefix}.conv${name}`, channels, size }, norm: normOf(prefix, name) };
}

const normOf = (prefix: string, name: string): Norm => ({
  scale: `${prefix}.scale${name}`,
  shift: `${prefix}.shift${name}`,
});

const pointwise = (name: string, channels: number): Kernel => ({ name, channels, size: [1, 1, 1] });
