import {
  type Activation,
  add,
  maxPool3d,
  normaliseAndActivate,
  pointwiseConvolution3d,
  scope,
  type Tensor,
} from '@ronasmis/libtorch';
import { type Cell, looseEnds, type OperationName } from '../architecture/cell.ts';
import { convolutions } from './convolutions.ts';
import { termWeights, type Weights, weight } from './weights.ts';

/** Of every convolution of a cell, as of the base child of the macro space. */
const activation: Activation = 'leaky_relu';

/**
 * A cell of the micro space (ENAS, Pham et al. 2018, section 2.5): every node adds its two operations on two earlier features, and what
 * no node takes in is added up, as this network adds its skips. The sum, which may be of any size, is normalised and activated, so that
 * what comes next need not know the cell. All are `[batch, channel, depth, height, width]` of one shape.
 */
export function cell(weights: Weights, prefix: string, input: Tensor, nodes: Cell): Tensor {
  const features = [input];
  nodes.forEach((terms, index) => {
    // Only their sum lives on, but for what the way back needs.
    const sum = scope(() => {
      const [first, second] = terms.map(({ operation, input }, slot) =>
        operate(weights, termWeights(prefix, index, slot, operation), features[input], operation),
      );
      return add(first, second);
    });
    features.push(sum);
  });
  const output = looseEnds(nodes)
    .map((node) => features[node])
    .reduce((sum, end) => add(sum, end));
  return normalise(weights, prefix, output);
}

function operate(weights: Weights, prefix: string, input: Tensor, operation: OperationName): Tensor {
  switch (operation) {
    case 'convolution':
      return convolutions(weights, prefix, [''], input, { dilation: 1, activation });
    case 'dilated_convolution':
      return convolutions(weights, prefix, [''], input, { dilation: 2, activation });
    case 'pointwise_convolution':
      return normalise(weights, prefix, pointwiseConvolution3d(input, weight(weights, `${prefix}.conv`)));
    case 'identity':
      return input;
    case 'max_pooling':
      return maxPool3d(input, 3, 1, 1);
  }
}

function normalise(weights: Weights, prefix: string, features: Tensor): Tensor {
  const [scale, shift] = [weight(weights, `${prefix}.scale`), weight(weights, `${prefix}.shift`)];
  return normaliseAndActivate(features, scale, shift, activation);
}
