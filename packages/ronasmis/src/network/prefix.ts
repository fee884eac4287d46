import type { Kernel, Layer, Norm, Operations } from './operations.ts';

/** What the weights of the coarse network are called before their own names. */
export const coarsePrefix = 'coarse.';

/**
 * Operations whose weights have a prefix: those of a network that is a part of another one. They are its own, of which a matrix of taps has been made
 * already.
 */
export function withPrefix<Features>(operations: Operations<Features>, prefix: string): Operations<Features> {
  const kernelOf = ({ taps: _, ...kernel }: Kernel): Kernel => ({
    ...kernel,
    name: prefix + kernel.name,
    ...(kernel.bias !== undefined && { bias: prefix + kernel.bias }),
  });
  const normOf = (norm: Norm): Norm => ({ ...norm, scale: prefix + norm.scale, shift: prefix + norm.shift });
  const layerOf = ({ kernel, norm }: Layer): Layer => ({ kernel: kernelOf(kernel), norm: normOf(norm) });
  return {
    ...operations,
    convolutionBlock: (features, layers, settings) =>
      operations.convolutionBlock(features, layers.map(layerOf), settings),
    convolution: (features, kernel, stride) => operations.convolution(features, kernelOf(kernel), stride),
    transposedConvolution: (features, kernel, like) =>
      operations.transposedConvolution(features, kernelOf(kernel), like),
    normalise: (features, norm, activation) => operations.normalise(features, normOf(norm), activation),
    gate: (features, gate) =>
      operations.gate(features, { ...gate, name: prefix + gate.name, logits: prefix + gate.logits }),
  };
}
