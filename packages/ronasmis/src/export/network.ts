import type { Activation } from '@ronasmis/libtorch';
import { activations } from '../architecture/activations.ts';
import { isOne, type Triple, voxelsOf } from '../base/geometry.ts';
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
  const normalise = (input: Value, { scale, shift }: Norm, activation?: Activation): Value => {
    const normalised = apply(graph, 'InstanceNormalization', [input, scale, shift], { epsilon: { float: epsilon } });
    return activation === undefined ? normalised : activate(graph, normalised, activation);
  };
  return {
    downsample: (input, stride, pooling = 'max') => {
      if (isOne(stride)) return input;
      return poolCells(graph, pooling === 'max' ? 'MaxPool' : 'AveragePool', input, stride);
    },
    convolutionBlock: (input, layers, { dilation, activation }) =>
      layers.reduce<Value>(
        (features, { kernel, norm }: Layer) =>
          normalise(convolution(graph, features, kernel, { dilation }), norm, activation),
        input,
      ),
    convolution: (input, kernel, stride) => convolution(graph, input, kernel, { stride }),
    transposedConvolution: (input, kernel, like) => cut(graph, cellsOf(graph, input, kernel), like),
    upsampleAndAdd: (input, stride, like, addends) => addends.reduce(add, upsample(graph, input, stride, like)),
    add,
    scale: (input, factor) => apply(graph, 'Mul', [input, numbers(graph, [factor])]),
    concatenate: (parts) => apply(graph, 'Concat', parts, { axis: { int: 1 } }),
    pool: (input, pooling = 'max') => {
      const window = { kernel_shape: { ints: [3, 3, 3] }, pads: { ints: [1, 1, 1, 1, 1, 1] } };
      return apply(graph, pooling === 'max' ? 'MaxPool' : 'AveragePool', [input], window);
    },
    normalise,
    activate: (input, activation) => activate(graph, input, activation),
    gate: (input) => input,
    scope: (body) => body(),
  };
}

interface ConvolutionSettings {
  readonly stride?: Triple | undefined;
  readonly dilation?: number;
}

/** A convolution that keeps the size, of which a stride takes every so many voxels. */
function convolution(
  graph: Graph,
  input: Value,
  { name, size, bias }: Kernel,
  { stride = [1, 1, 1], dilation = 1 }: ConvolutionSettings,
): Value {
  const margins = size.map((extent) => (dilation * (extent - 1)) / 2);
  const attributes = {
    kernel_shape: { ints: size },
    strides: { ints: stride },
    dilations: { ints: [dilation, dilation, dilation] },
    pads: { ints: [...margins, ...margins] },
  };
  return apply(graph, 'Conv', weighted(input, name, bias), attributes);
}

const weighted = (input: Value, kernel: Value, bias: Value | undefined): readonly Value[] =>
  bias === undefined ? [input, kernel] : [input, kernel, bias];

/**
 * A transposed convolution whose stride is its kernel's size: each voxel is multiplied by a matrix, whose product is laid out as a cell. Not by
 * `ConvTranspose`, which ONNX Runtime has for two dimensions alone on WebGPU, and does not leave to the processor there.
 */
function cellsOf(graph: Graph, input: Value, { name, channels, size: cell, bias }: Kernel): Value {
  const whole = (values: readonly number[]): Value => wholeNumbers(graph, values);
  const reshape = (value: Value, shape: Value): Value => apply(graph, 'Reshape', [value, shape]);
  const voxels = voxelsOf(cell);
  // From `[from, to, ...cell]` to a kernel of one voxel, `[to * cell, from, 1, 1, 1]`.
  const turned = apply(graph, 'Transpose', [name], { perm: { ints: [1, 2, 3, 4, 0] } });
  const matrix = reshape(turned, whole([channels * voxels, -1, 1, 1, 1]));
  const repeated = (shift: Value): Value =>
    reshape(
      apply(graph, 'Expand', [reshape(shift, whole([channels, 1])), whole([channels, voxels])]),
      whole([channels * voxels]),
    );
  const shift = bias === undefined ? undefined : repeated(bias);
  const product = apply(graph, 'Conv', weighted(input, matrix, shift), { kernel_shape: { ints: [1, 1, 1] } });
  const batch = apply(graph, 'Shape', [input], { start: { int: 0 }, end: { int: 1 } });
  const extents = apply(graph, 'Shape', [input], { start: { int: 2 } });
  const joined = (...parts: readonly Value[]): Value => apply(graph, 'Concat', parts, { axis: { int: 0 } });
  const apart = reshape(product, joined(batch, whole([channels, ...cell]), extents));
  const woven = apply(graph, 'Transpose', [apart], { perm: { ints: [0, 1, 5, 2, 6, 3, 7, 4] } });
  return reshape(woven, joined(batch, whole([channels]), apply(graph, 'Mul', [extents, whole(cell)])));
}

/**
 * The largest value of each cell, or their mean. Padding at the far end, which counts for nothing, completes the last cell of an axis: none is of
 * padding alone. Not by `ceil_mode`, which browsers' runtimes refuse.
 */
function poolCells(graph: Graph, operation: 'MaxPool' | 'AveragePool', input: Value, stride: Triple): Value {
  const behind = stride.map((step) => step - 1);
  return apply(graph, operation, [input], {
    kernel_shape: { ints: stride },
    strides: { ints: stride },
    pads: { ints: [0, 0, 0, ...behind] },
  });
}

function activate(graph: Graph, input: Value, activation: Activation): Value {
  return activations[activation].onnx(input, (operation, inputs, attributes = {}) => {
    const named = Object.entries(attributes).map(([name, float]) => [name, { float }] as const);
    return apply(graph, operation, inputs, Object.fromEntries(named));
  });
}

/** Trilinear upsampling by a whole stride, cut at the far ends to the size of `like`. */
function upsample(graph: Graph, input: Value, stride: Triple, like: Value): Value {
  if (isOne(stride)) return input;
  const enlarged = apply(graph, 'Resize', [input, '', numbers(graph, [1, 1, ...stride])], {
    mode: { text: 'linear' },
    coordinate_transformation_mode: { text: 'half_pixel' },
  });
  return cut(graph, enlarged, like);
}

/** The first voxels of each axis, as many as `like` has. */
function cut(graph: Graph, input: Value, like: Value): Value {
  const size = apply(graph, 'Shape', [like], { start: { int: 2 } });
  return apply(graph, 'Slice', [input, wholeNumbers(graph, [0, 0, 0]), size, wholeNumbers(graph, [2, 3, 4])]);
}
