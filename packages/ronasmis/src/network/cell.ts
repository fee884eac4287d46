import type { Activation } from '@ronasmis/libtorch';
import { type Cell, operations as cellOperations, looseEnds, type OperationName } from '../architecture/cell.ts';
import type { Triple } from '../base/geometry.ts';
import type { Kernel, Norm, Operations } from './operations.ts';

/** Of every convolution of a cell, as of the base child of the macro space. */
const activation: Activation = 'leaky_relu';

/** Where a cell stands: what its weights' names begin with, the channels of its level, and the kernels there by their edge. */
interface CellPlace {
  readonly prefix: string;
  readonly channels: number;
  readonly sizeOf: (edge: number) => Triple;
}

/**
 * A cell of the micro space (ENAS, Pham et al. 2018, section 2.5): every node adds its two operations on two earlier features, and what
 * no node takes in is added up, as this network adds its skips. The sum, which may be of any size, is normalised and activated, so that
 * what comes next need not know the cell. All are `[batch, channel, depth, height, width]` of one shape.
 *
 * A kernel belongs to a level, a node, one of its two inputs and a kernel size (ENAS: to an operation). It serves whichever features
 * the input is, and both dilations.
 */
export function cell<Features>(
  operations: Operations<Features>,
  input: Features,
  nodes: Cell,
  place: CellPlace,
): Features {
  const features = [input];
  nodes.forEach((terms, index) => {
    // Only their sum lives on, besides what the backward pass needs.
    const sum = operations.scope(() => {
      const [first, second] = terms.map(({ operation, input }, slot) =>
        operate(operations, features[input], operation, termPlace(place, index, slot, operation)),
      );
      return operations.add(first, second);
    });
    features.push(sum);
  });
  const ends = looseEnds(nodes).map((node) => features[node]);
  const output = ends.reduce((sum, end) => operations.add(sum, end));
  return operations.normalise(output, normOf(place.prefix), activation);
}

/** Where the weights of an operation on an input of a node stand; node and slot count from 0. */
function termPlace({ prefix, ...level }: CellPlace, node: number, slot: number, operation: OperationName): CellPlace {
  const { kernel } = cellOperations[operation];
  return { ...level, prefix: `${prefix}.node${node + 1}.input${slot + 1}.${kernel}x${kernel}x${kernel}` };
}

function operate<Features>(
  operations: Operations<Features>,
  input: Features,
  operation: OperationName,
  { prefix, channels, sizeOf }: CellPlace,
): Features {
  const norm = normOf(prefix);
  const kernel = (edge: number): Kernel => ({ name: `${prefix}.conv`, channels, size: sizeOf(edge) });
  const convolve = (dilation: number): Features =>
    operations.convolutionBlock(input, [{ kernel: kernel(3), norm }], { dilation, activation });
  switch (operation) {
    case 'convolution':
      return convolve(1);
    case 'dilated_convolution':
      return convolve(2);
    case 'pointwise_convolution':
      return operations.normalise(operations.convolution(input, kernel(1)), norm, activation);
    case 'identity':
      return input;
    case 'max_pooling':
      return operations.pool(input);
  }
}

const normOf = (prefix: string): Norm => ({ scale: `${prefix}.scale`, shift: `${prefix}.shift` });
