import { type Activation, keptByActivation } from './activations.ts';
import { type Convolving, convolution3d, convolutionType } from './convolution.ts';
import { deinterleave, type Interleaving, interleave, interleavingFor, subVolumeSize } from './interleaving.ts';
import { normaliseInterleaved } from './normalisation.ts';
import { type DataType, scope, type Tensor } from './tensor.ts';

/** One convolution of a block. */
export interface BlockLayer {
  /** `[out, in, planes, rows, columns]`, each 3 or 1, of one size in all layers; best 3x3x3 or 1x3x3. */
  readonly kernel: Tensor;
  /** `[out]`, of the instance normalisation behind the convolution, as is `shift`. */
  readonly scale: Tensor;
  readonly shift: Tensor;
}

/** Of all convolutions of a block. */
export interface BlockOptions {
  readonly dilation: number;
  readonly activation: Activation;
}

/**
 * Convolutions that keep the size, one after the other, each with instance normalisation and the activation: `[batch, in, depth, height, width]`
 * gives `[batch, out, depth, height, width]`. What a layer makes beside its result is freed when the layer is done, except what autograd keeps.
 */
export function convolutionBlock(
  input: Tensor,
  layers: readonly BlockLayer[],
  { dilation, activation }: BlockOptions,
): Tensor {
  const { dataType, device } = input;
  const size = input.shape.slice(2);
  const [, , planes] = layers[0].kernel.shape;
  const { interleaving } = convolutionBlockPlan({ size, planes, dilation, activation, dataType, device });
  let features = interleave(input, interleaving);
  for (const { kernel, scale, shift } of layers) {
    const before = features;
    features = scope(() => {
      const convolved = convolution3d(before, kernel, dilation / interleaving.dilation);
      return normaliseInterleaved(convolved, { scale, shift }, activation, interleaving);
    });
  }
  return deinterleave(features, interleaving);
}

/** How a block is computed, as far as it matters for the memory that it takes. */
export interface BlockPlan {
  /** How the volumes are interleaved on their way through the block: first all, in the end back. A dilation of 1 leaves them as they are. */
  readonly interleaving: Interleaving;
  /** The type that each of its convolutions is computed in. */
  readonly convolutionType: DataType;
}

/** How {@link convolutionBlock} computes a block of such volumes. Activations that are not fused with the normalisation are not interleaved. */
export function convolutionBlockPlan(block: Convolving & { readonly activation: Activation }): BlockPlan {
  const isFused = keptByActivation(block.activation) === 'nothing';
  const interleaving = isFused ? interleavingFor(block) : { dilation: 1, size: block.size };
  const size = subVolumeSize(interleaving);
  const dilation = block.dilation / interleaving.dilation;
  return { interleaving, convolutionType: convolutionType({ ...block, size, dilation }) };
}
