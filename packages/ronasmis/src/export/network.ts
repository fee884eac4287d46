import type { Activation } from '@ronasmis/libtorch';
import { activations } from '../architecture/activations.ts';
import type { Triple } from '../base/geometry.ts';
import type { Network } from '../network/network.ts';
import type { Kernel, Layer, Norm, Operations } from '../network/operations.ts';
import { apply, type Graph, numbers, renameLast, type Value, wholeNumbers } from './graph.ts';

/** As `normaliseAndActivate` has them. */
const epsilon = 1e-5;

/**
 * Adds a network's forward pass at prediction, with the sizes of volumes left open: `image` `[batch, channel, depth, height, width]` gives
 * `logits` `[batch, class, depth, height, width]`. The graph's weights have the names that they have in the network.
 */
export function addNetwork(graph: Graph, network: Pick<Network, 'walk'>, image: Value, logits: Value): void {
  network.walk(onnxOperations(graph), image, { deepSupervision: false });
  renameLast(graph, logits);
}

/** Interprets a network as operations of ONNX's own set. */
function onnxOperations(graph: Graph): Operations<Value> {
  const add = (one: Value, other: Value): Value => apply(graph, 'Add', [one, other]);
  const normalise = (input: Value, { scale, shift }: Norm, activation: Activation): Value =>
    activate(
      graph,
      apply(graph, 'InstanceNormalization', [input, scale, shift], { epsilon: { float: epsilon } }),
      activation,
    );
  return {
    downsample: (input, stride) => {
      if (stride.every((step) => step === 1)) return input;
      const attributes = { kernel_shape: { ints: stride }, strides: { ints: stride }, ceil_mode: { int: 1 } };
      return apply(graph, 'MaxPool', [input], attributes);
    },
    convolutionBlock: (input, layers, { dilation, activation }) =>
      layers.reduce<Value>(
        (features, { kernel, norm }: Layer) =>
          normalise(convolution(graph, features, kernel, dilation), norm, activation),
        input,
      ),
    convolution: (input, kernel) => convolution(graph, input, kernel, 1),
    upsampleAndAdd: (input, stride, like, addends) => addends.reduce(add, upsample(graph, input, stride, like)),
    add,
    pool: (input) =>
      apply(graph, 'MaxPool', [input], { kernel_shape: { ints: [3, 3, 3] }, pads: { ints: [1, 1, 1, 1, 1, 1] } }),
    normalise,
    scope: (body) => body(),
  };
}

/** A convolution that keeps the size. */
function convolution(graph: Graph, input: Value, { name, size, bias }: Kernel, dilation: number): Value {
  const margins = size.map((extent) => (dilation * (extent - 1)) / 2);
  const attributes = {
    kernel_shape: { ints: size },
    dilations: { ints: [dilation, dilation, dilation] },
    pads: { ints: [...margins, ...margins] },
  };
  return apply(graph, 'Conv', [input, name, ...(bias === undefined ? [] : [bias])], attributes);
}

function activate(graph: Graph, input: Value, activation: Activation): Value {
  return activations[activation].onnx(input, (operation, inputs, attributes = {}) => {
    const named = Object.entries(attributes).map(([name, float]) => [name, { float }] as const);
    return apply(graph, operation, inputs, Object.fromEntries(named));
  });
}

/** Trilinear upsampling by a whole stride, cut at the far ends to the size of `like`. */
function upsample(graph: Graph, input: Value, stride: Triple, like: Value): Value {
  if (stride.every((step) => step === 1)) return input;
  const enlarged = apply(graph, 'Resize', [input, '', numbers(graph, [1, 1, ...stride])], {
    mode: { text: 'linear' },
    coordinate_transformation_mode: { text: 'half_pixel' },
  });
  const size = apply(graph, 'Shape', [like], { start: { int: 2 } });
  return apply(graph, 'Slice', [enlarged, wholeNumbers(graph, [0, 0, 0]), size, wholeNumbers(graph, [2, 3, 4])]);
}
