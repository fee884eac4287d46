import { memory, noGradient, scope, type Tensor, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import type { Cell, OperationName, Term } from '../../src/architecture/cell.ts';
import type { Triple } from '../../src/base/geometry.ts';
import { cell } from '../../src/network/cell.ts';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import type { Network } from '../../src/network/network.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import type { Weights } from '../../src/network/weights.ts';
import { chirp, product } from '../chirp.ts';
import { randomChildren } from '../space/walk.ts';
import { chirpLabel, chirpWeights, microReference, narrow } from './peer.ts';

const weights = chirpWeights(narrow, 'micro');
const of = (operation: OperationName, input: number): Term => ({ operation, input });
const same = of('identity', 0);
const size = [1, 8, 7, 9, 8];

/** A cell of the third level by itself. */
function thirdLevel(nodes: Cell): Pick<Network, 'walk'> {
  const place = { prefix: 'encoder.2', channels: 8, sizeOf: (edge: number): Triple => [edge, edge, edge] };
  return { walk: (operations, image) => [cell(operations, image, nodes, place)] };
}

/** What it gives. */
function run(nodes: Cell, input: Tensor): number[] {
  return noGradient(() => scope(() => forward(thirdLevel(nodes), weights, input)[0].toNumbers()));
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

describe('every choice changes the cell', () => {
  const input = chirp(size, 1);
  const base: Cell = [
    [of('convolution', 0), same],
    [of('convolution', 1), of('identity', 1)],
    [of('identity', 2), of('pointwise_convolution', 0)],
  ];
  const before = run(base, input);
  const changed = (node: number, slot: number, term: Term): Cell => {
    const terms: readonly [Term, Term] = slot === 0 ? [term, base[node][1]] : [base[node][0], term];
    return base.map((old, index) => (index === node ? terms : old));
  };
  const variants = base.flatMap((terms, node) =>
    terms.flatMap(({ operation, input }, slot) => [
      ...(['convolution', 'dilated_convolution', 'pointwise_convolution', 'identity', 'max_pooling'] as const)
        .filter((other) => other !== operation)
        .map((other) => ({ node, slot, term: of(other, input) })),
      ...[0, 1, 2]
        .filter((other) => other <= node && other !== input)
        .map((other) => ({ node, slot, term: of(operation, other) })),
    ]),
  );
  test.each(variants)('node $node, slot $slot: $term.operation of $term.input', ({ node, slot, term }) => {
    expect(largestDifference(run(changed(node, slot, term), input), before)).toBeGreaterThan(1e-3);
  });
});

test('max pooling gives the largest of 3x3x3 voxels, and identity the voxel', () => {
  // Of one bright voxel: two maxima and four voxels are added up, then normalised and activated, which keeps their order.
  const bright = new Float32Array(product(size));
  bright[(3 * 9 + 4) * 8 + 4] = 1;
  const output = run(
    [
      [of('max_pooling', 0), same],
      [of('max_pooling', 0), same],
      [same, same],
    ],
    tensor(bright, size),
  ).slice(0, 7 * 9 * 8);
  const values = [...new Set(output)].sort((a, b) => a - b);
  expect(values).toHaveLength(3);
  const count = (value: number): number => output.filter((found) => found === value).length;
  expect(values.map(count)).toEqual([7 * 9 * 8 - 27, 26, 1]);
});

test('all loose ends are added up: nodes that only pass on give the same cell however they are wired', () => {
  const input = chirp(size, 2);
  // (2x) + (2x) + (2x), and 2x + (2x + 2x): the norm takes the factor out.
  const wide = run(
    [
      [same, same],
      [same, same],
      [same, same],
    ],
    input,
  );
  const deep = run(
    [
      [same, same],
      [of('identity', 1), same],
      [of('identity', 1), of('identity', 2)],
    ],
    input,
  );
  expect(largestDifference(wide, deep)).toBeLessThan(1e-3);
  // A loose end that is left out is missed.
  const loose = run(
    [
      [of('max_pooling', 0), same],
      [of('convolution', 0), same],
      [same, same],
    ],
    input,
  );
  expect(largestDifference(wide, loose)).toBeGreaterThan(0.1);
});

test('a network of cells leaves no tensors behind', () => {
  const image = chirp([1, 2, 9, 17, 16], 0);
  const label = tensor(chirpLabel(9 * 17 * 16, 3, 3), [1, 9, 17, 16]);
  const step = (child: ChildArchitecture): void => {
    scope(() => {
      const network = networkOf(child, narrow);
      networkLoss(network, forward(network, weights, image, { deepSupervision: true }), label).backward();
    });
    for (const weight of weights.values()) weight.clearGradient();
  };
  step(microReference.children['the base'].child);
  const before = memory().tensors;
  fc.assert(fc.property(randomChildren('micro', [40, 40, 40], narrow), step), { numRuns: 5 });
  expect(memory().tensors).toBe(before);
});

test('the weights are a kernel of each size for every level, node and input, and a way in for each encoder level', () => {
  const count = (some: Weights, part: string): number => [...some.keys()].filter((name) => name.includes(part)).length;
  // A cell: its norm of 2, and 3 nodes of 2 inputs with 2 kernels, each with its norm: 38. Ways up, skips and heads as in the macro space.
  expect(weights.size).toBe(9 * 38 + 5 + 4 * 5 + 3 * 2);
  expect(count(weights, 'encoder.3.node2.input1.')).toBe(6);
  expect(count(weights, '.match')).toBe(5);
  expect(weights.get('encoder.0.match')?.shape).toEqual([4, 2, 3, 3, 3]);
  expect(weights.get('encoder.3.match')?.shape).toEqual([10, 8, 1, 1, 1]);
  expect(weights.get('decoder.1.node3.input2.3x3x3.conv')?.shape).toEqual([6, 6, 3, 3, 3]);
  expect(weights.get('decoder.1.node3.input2.1x1x1.conv')?.shape).toEqual([6, 6, 1, 1, 1]);
});
