import type { Activation } from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';

/** A convolution's kernel, by its name among the weights: how many channels it makes of those it is given, and its size. */
export interface Kernel {
  readonly name: string;
  readonly channels: number;
  /** `[depth, height, width]`: 3x3x3, 1x3x3 where slices are thick, or 1x1x1. */
  readonly size: Triple;
  /** The name of its bias; none where a norm follows or the result is added to others. */
  readonly bias?: string;
  /** The name of the matrix through which its taps are taken from those that other dilations share; none where it is taken as it is. */
  readonly taps?: string;
}

/** Instance normalisation's scale and shift, by their names among the weights. */
export interface Norm {
  readonly scale: string;
  readonly shift: string;
}

/** A convolution, normalised and activated. Those of a block have kernels of one size, 3x3x3 or 1x3x3. */
export interface Layer {
  readonly kernel: Kernel;
  readonly norm: Norm;
}

/** How the convolutions of a block are made. */
export interface BlockSettings {
  readonly dilation: number;
  readonly activation: Activation;
}

/**
 * The operations that networks are made of. A network is written once, as a walk over them; whoever interprets them gets what he needs
 * out of the walk: tensors, bytes, an ONNX graph, multiply-adds, the names and shapes of the weights.
 *
 * @typeParam Features what flows: for libtorch a tensor `[batch, channel, depth, height, width]`
 */
export interface Operations<Features> {
  /** Largest value of each cell of `stride` (depth, height, width); the last cell of an axis may be a part of one. */
  downsample(features: Features, stride: Triple): Features;
  /** Convolutions one after the other that keep the size, each with instance normalisation and the activation: all of 3x3x3, or all of 1x3x3. */
  convolutionBlock(features: Features, layers: readonly Layer[], settings: BlockSettings): Features;
  /** A convolution alone that keeps the size. */
  convolution(features: Features, kernel: Kernel): Features;
  /** Trilinear upsampling by `stride`, cut to the size of `like`, and the sum with features of that size. */
  upsampleAndAdd(features: Features, stride: Triple, like: Features, addends: readonly Features[]): Features;
  add(one: Features, other: Features): Features;
  /** 3x3x3 max pooling that keeps the size. */
  pool(features: Features): Features;
  /** Instance normalisation and the activation alone. */
  normalise(features: Features, norm: Norm, activation: Activation): Features;
  /** Runs a part of the network of which only the result is needed later, in the forward pass or the backward one. */
  scope(body: () => Features): Features;
}
