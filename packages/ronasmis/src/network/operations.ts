import type { Activation } from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';

/** A convolution's kernel, by its name among the weights: how many channels it makes of those it is given, and its size. */
export interface Kernel {
  readonly name: string;
  readonly channels: number;
  /** `[depth, height, width]`, each 1 or 3: 3x3x3, 1x3x3 where slices are thick, or 1x1x1. Of a transposed convolution the cell that a voxel becomes. */
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
  /** Whether its scale is 0 before training, so that a residual block starts as its shortcut (Goyal et al. 2017, section 5.1). */
  readonly startsAtZero?: boolean;
  /** Whether its scale and shift stay 1 and 0 while others are trained. */
  readonly isFixed?: boolean;
}

/** How the voxels of a neighbourhood become one: their largest value, or the mean of those that there are. */
export type Pooling = 'max' | 'average';

/** A convolution, normalised and activated. Those of a block have kernels of one size; 3x3x3 and 1x3x3 take the least time for what they do. */
export interface Layer {
  readonly kernel: Kernel;
  readonly norm: Norm;
}

/**
 * The relaxed choice of an operation on an edge of a cell (GDAS; Dong & Yang 2019, section 3.2): features are multiplied by 1, yet what the loss
 * would gain by more of them goes back to the logits of the edge's operations, by the softmax that the choice was drawn from.
 */
export interface Gate {
  readonly name: string;
  /** The name of the logits among the weights, one for each operation. */
  readonly logits: string;
  /** Of the operation that was drawn. */
  readonly chosen: number;
  /** Gumbel noise that it was drawn with, one for each operation. */
  readonly noise: readonly number[];
  /** By which logits and noise are divided before the softmax. */
  readonly temperature: number;
  /** By which the logits are multiplied before anything else: they move so many times as fast as other weights. */
  readonly sharpness: number;
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
  /** Pools each cell of `stride` (depth, height, width), by its largest value where no pooling is given; the last cell of an axis may be a part of one. */
  downsample(features: Features, stride: Triple, pooling?: Pooling): Features;
  /** Convolutions one after the other that keep the size, each with instance normalisation and the activation: all by kernels of one size. */
  convolutionBlock(features: Features, layers: readonly Layer[], settings: BlockSettings): Features;
  /** A convolution alone, which keeps the size; with a stride every so many voxels of it, from the first on. */
  convolution(features: Features, kernel: Kernel, stride?: Triple): Features;
  /** A transposed convolution whose stride is its kernel's size: each voxel becomes a cell. The result is cut to the size of `like`. */
  transposedConvolution(features: Features, kernel: Kernel, like: Features): Features;
  /** Trilinear upsampling by `stride`, cut to the size of `like`, and the sum with features of that size. */
  upsampleAndAdd(features: Features, stride: Triple, like: Features, addends: readonly Features[]): Features;
  add(one: Features, other: Features): Features;
  /** Features times a number that is not learnt. */
  scale(features: Features, factor: number): Features;
  /** The channels of all, in this order. */
  concatenate(parts: readonly Features[]): Features;
  /** 3x3x3 pooling that keeps the size, by the largest value where no pooling is given. */
  pool(features: Features, pooling?: Pooling): Features;
  /** Instance normalisation, and the activation where one is given. */
  normalise(features: Features, norm: Norm, activation?: Activation): Features;
  /** An activation alone. */
  activate(features: Features, activation: Activation): Features;
  /** Passes features on as they are, and gradients to what they were chosen by. */
  gate(features: Features, gate: Gate): Features;
  /** Runs a part of the network of which only the result is needed later, in the forward pass or the backward one. */
  scope(body: () => Features): Features;
}
