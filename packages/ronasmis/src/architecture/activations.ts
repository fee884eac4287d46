import type { Activation } from '@ronasmis/libtorch';

/** Adds an operation of ONNX's own set to a graph, with attributes that are numbers; gives the name of its result. */
type AddOnnx = (operation: string, inputs: readonly string[], attributes?: Readonly<Record<string, number>>) => string;

interface ActivationEntry {
  /** As the literature writes it. */
  readonly title: string;
  /** The same function in ONNX's operations. */
  readonly onnx: (input: string, add: AddOnnx) => string;
}

/** What an architecture can have as an activation. libtorch's package computes them. */
export const activations: Readonly<Record<Activation, ActivationEntry>> = {
  relu: { title: 'ReLU', onnx: (input, add) => add('Relu', [input]) },
  leaky_relu: { title: 'LeakyReLU', onnx: (input, add) => add('LeakyRelu', [input], { alpha: 0.01 }) },
  elu: { title: 'ELU', onnx: (input, add) => add('Elu', [input]) },
};

export const activationNames: readonly Activation[] = Object.keys(activations).filter(
  (name): name is Activation => name in activations,
);
