import { elu, leakyRelu, relu } from './operations.ts';
import type { Tensor } from './tensor.ts';

interface ActivationFunction {
  /**
   * Its number in native/kernels/instance_norm.h and native/cuda/instance_norm.cu, which compute it together with the
   * normalisation before it; null where they do not: `apply` then follows the normalisation on every device.
   */
  readonly fusedNumber: number | null;
  /** By libtorch's own operation. */
  readonly apply: (input: Tensor) => Tensor;
  /** The volume that libtorch's operation keeps for its gradient. Fused, only the normalisation's input is kept. */
  readonly keeps: 'input' | 'output';
}

/** Every activation. To add one, add it here; only what is to be fused needs more. */
const activations = {
  relu: { fusedNumber: 0, apply: relu, keeps: 'output' },
  // Of nnU-Net's slope.
  leaky_relu: { fusedNumber: 1, apply: (input) => leakyRelu(input, { negativeSlope: 0.01 }), keeps: 'input' },
  elu: { fusedNumber: 2, apply: (input) => elu(input), keeps: 'input' },
} as const satisfies Readonly<Record<string, ActivationFunction>>;

export type Activation = keyof typeof activations;

export const activationNames: readonly Activation[] = Object.keys(activations).filter(
  (name): name is Activation => name in activations,
);

/** An activation alone, by libtorch's own operation. */
export function activate(input: Tensor, activation: Activation): Tensor {
  return activations[activation].apply(input);
}

/** The volume that {@link activate} keeps for its gradient. */
export function keptByActivate(activation: Activation): 'input' | 'output' {
  return activations[activation].keeps;
}

/** What there is to know of an activation. */
export function activationFunction(name: Activation): ActivationFunction {
  return activations[name];
}

/**
 * What an activation keeps for the backward pass beside the input of the normalisation before it: nothing where the two are one fused
 * operation, otherwise the volume that it was given or the one that it made.
 */
export function keptByActivation(name: Activation): 'nothing' | 'input' | 'output' {
  const { fusedNumber, keeps } = activationFunction(name);
  return fusedNumber === null ? keeps : 'nothing';
}
