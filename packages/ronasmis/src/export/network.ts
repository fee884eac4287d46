import type { Activation, Architecture } from '../architecture/architecture.ts';
import { type Cell, looseEnds, type OperationName } from '../architecture/cell.ts';
import { strideBetween, type Volume } from '../network/child.ts';
import { termWeights } from '../network/weights.ts';
import { apply, type Graph, numbers, shapeOf, type Value, wholeNumbers } from './graph.ts';

// The forward pass of network/child.ts at prediction, operation by operation, with the sizes of volumes left open. The graph's weights have
// the names that they have there.

/** As `normaliseAndActivate` has them. */
const epsilon = 1e-5;
const leakySlope = 0.01;

/** Adds a child (paper, Fig. 2): `image` `[batch, channel, depth, height, width]` gives `logits` `[batch, class, depth, height, width]`. */
export function addNetwork(graph: Graph, child: Architecture, image: Value, logits: Value): void {
  const encoded: Value[] = [];
  child.encoder.forEach(({ pool }, level) => {
    const above = level === 0 ? image : encoded[level - 1];
    encoded.push(block(graph, child, 'encoder', level, downsample(graph, above, [pool.depth, pool.plane, pool.plane])));
  });
  let features = encoded[encoded.length - 1];
  for (let level = child.decoder.length - 1; level >= 0; level -= 1) {
    features = block(graph, child, 'decoder', level, sumOfInputs(graph, child, level, features, encoded));
  }
  apply(graph, 'Conv', [features, 'head.0', 'head.0.bias'], { kernel_shape: cube(1) }, logits);
}

/** What a decoder level takes in: the features of the level below and of the encoder levels that it skips from. */
function sumOfInputs(graph: Graph, child: Architecture, level: number, below: Value, encoded: readonly Value[]): Value {
  const enlarged = (features: Value, name: string, from: number): Value =>
    upsample(graph, pointwise(graph, name, features), strideBetween(child, level, from), encoded[level]);
  const sum = enlarged(below, `decoder.${level}.below`, level + 1);
  return child.decoder[level].skips.reduce((added, from) => {
    const name = `decoder.${level}.skip${from}`;
    if (from > level) return add(graph, added, enlarged(encoded[from], name, from));
    const pooled = downsample(graph, encoded[from], strideBetween(child, from, level));
    return add(graph, added, pointwise(graph, name, pooled));
  }, sum);
}

function block(graph: Graph, child: Architecture, part: 'encoder' | 'decoder', level: number, input: Value): Value {
  const prefix = `${part}.${level}`;
  switch (child.space) {
    case 'macro':
      return ['1', '2'].reduce(
        (features, name) => convolution(graph, prefix, name, features, child[part][level]),
        input,
      );
    case 'micro':
      return cell(graph, prefix, part === 'encoder' ? matchChannels(graph, level, input) : input, child.cell);
  }
}

function matchChannels(graph: Graph, level: number, input: Value): Value {
  const name = `encoder.${level}.match`;
  return level === 0 ? sizeKeepingConvolution(graph, name, input, 1) : pointwise(graph, name, input);
}

function cell(graph: Graph, prefix: string, input: Value, nodes: Cell): Value {
  const features = [input];
  nodes.forEach((terms, index) => {
    const [first, second] = terms.map(({ operation, input }, slot) =>
      operate(graph, termWeights(prefix, index, slot, operation), features[input], operation),
    );
    features.push(add(graph, first, second));
  });
  const ends = looseEnds(nodes).map((node) => features[node]);
  const output = ends.reduce((sum, end) => add(graph, sum, end));
  return normalise(graph, prefix, '', output, 'leaky_relu');
}

function operate(graph: Graph, prefix: string, input: Value, operation: OperationName): Value {
  switch (operation) {
    case 'convolution':
      return convolution(graph, prefix, '', input, { dilation: 1, activation: 'leaky_relu' });
    case 'dilated_convolution':
      return convolution(graph, prefix, '', input, { dilation: 2, activation: 'leaky_relu' });
    case 'pointwise_convolution':
      return normalise(graph, prefix, '', pointwise(graph, `${prefix}.conv`, input), 'leaky_relu');
    case 'identity':
      return input;
    case 'max_pooling':
      return apply(graph, 'MaxPool', [input], { kernel_shape: cube(3), pads: { ints: [1, 1, 1, 1, 1, 1] } });
  }
}

/** A 3x3x3 or 1x3x3 convolution with its norm and activation. */
function convolution(
  graph: Graph,
  prefix: string,
  name: string,
  input: Value,
  { dilation, activation }: { readonly dilation: number; readonly activation: Activation },
): Value {
  const convolved = sizeKeepingConvolution(graph, `${prefix}.conv${name}`, input, dilation);
  return normalise(graph, prefix, name, convolved, activation);
}

function sizeKeepingConvolution(graph: Graph, kernel: string, input: Value, dilation: number): Value {
  const [, , ...size] = shapeOf(graph, kernel);
  const margins = size.map((extent) => (dilation * (extent - 1)) / 2);
  const attributes = {
    kernel_shape: { ints: size },
    dilations: cube(dilation),
    pads: { ints: [...margins, ...margins] },
  };
  return apply(graph, 'Conv', [input, kernel], attributes);
}

function pointwise(graph: Graph, kernel: string, input: Value): Value {
  return apply(graph, 'Conv', [input, kernel], { kernel_shape: cube(1) });
}

function normalise(graph: Graph, prefix: string, name: string, input: Value, activation: Activation): Value {
  const inputs = [input, `${prefix}.scale${name}`, `${prefix}.shift${name}`];
  return activate(graph, apply(graph, 'InstanceNormalization', inputs, { epsilon: { float: epsilon } }), activation);
}

function activate(graph: Graph, input: Value, activation: Activation): Value {
  switch (activation) {
    case 'relu':
      return apply(graph, 'Relu', [input]);
    case 'leaky_relu':
      return apply(graph, 'LeakyRelu', [input], { alpha: { float: leakySlope } });
    case 'elu':
      return apply(graph, 'Elu', [input]);
  }
}

/** Largest value of each cell; the last cell of an axis may be a part of one. */
function downsample(graph: Graph, input: Value, stride: Volume): Value {
  if (stride.every((step) => step === 1)) return input;
  return apply(graph, 'MaxPool', [input], {
    kernel_shape: { ints: stride },
    strides: { ints: stride },
    ceil_mode: { int: 1 },
  });
}

/** Trilinear upsampling by a whole stride, cut at the far ends to the size of `like`. */
function upsample(graph: Graph, input: Value, stride: Volume, like: Value): Value {
  if (stride.every((step) => step === 1)) return input;
  const enlarged = apply(graph, 'Resize', [input, '', numbers(graph, [1, 1, ...stride])], {
    mode: { text: 'linear' },
    coordinate_transformation_mode: { text: 'half_pixel' },
  });
  const size = apply(graph, 'Shape', [like], { start: { int: 2 } });
  return apply(graph, 'Slice', [enlarged, wholeNumbers(graph, [0, 0, 0]), size, wholeNumbers(graph, [2, 3, 4])]);
}

function add(graph: Graph, one: Value, other: Value): Value {
  return apply(graph, 'Add', [one, other]);
}

/** The same along depth, height and width. */
const cube = (edge: number) => ({ ints: [edge, edge, edge] });
