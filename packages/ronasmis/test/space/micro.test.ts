import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  architectureSchema,
  type ChildArchitecture,
  type MicroArchitecture,
} from '../../src/architecture/architecture.ts';
import { type Cell, looseEnds, operationNames, operations } from '../../src/architecture/cell.ts';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { costOf } from '../../src/network/cost.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { microSpace } from '../../src/space/micro.ts';
import { walk, walks } from './walk.ts';

const dimensions = networkDimensions(1, 3);
const costOfChild = (child: ChildArchitecture) => costOf(networkOf(child, dimensions));
const space = microSpace([36, 51, 35], dimensions);

/** The child of these choices, which the space says is of its own kind. */
function childOf(choices: readonly number[]): MicroArchitecture {
  const child = space.decode(choices);
  if (child.space !== 'micro') throw new Error(`${child.space} is not micro.`);
  return child;
}

const lookingAround = (cell: Cell): number =>
  cell.flat().filter(({ operation }) => operations[operation].looksAround).length;

describe('the decisions', () => {
  test('are two operations a node, and two inputs but for the first, which has one to take', () => {
    expect(space.decisions.map(({ choice, options }) => `${choice}: ${options}`)).toEqual([
      'operation: 5',
      'operation: 5',
      ...['input of node 2: 2', 'input of node 2: 2', 'operation: 5', 'operation: 5'],
      ...['input of node 3: 3', 'input of node 3: 3', 'operation: 5', 'operation: 5'],
    ]);
  });

  test("on inputs attend to the nodes that they can take in, by the decisions after them; nothing was decided on the cell's input", () => {
    expect(space.decisions.map(({ sources }) => sources ?? [])).toEqual([
      [],
      [],
      ...[[null, 2], [null, 2], [], []],
      ...[[null, 2, 6], [null, 2, 6], [], []],
    ]);
  });
});

test('a child says what was chosen, in the base child of the macro space', () => {
  const { patch, encoder, decoder } = macroSpace([36, 51, 35], dimensions).base;
  expect(space.decode([4, 2, /**/ 0, 1, 3, 1, /**/ 2, 0, 3, 0])).toEqual({
    space: 'micro',
    patch,
    encoder: encoder.map(({ pool }) => ({ pool })),
    decoder: decoder.map(({ skips }) => ({ skips })),
    cell: [
      [
        { operation: 'max_pooling', input: 0 },
        { operation: 'pointwise_convolution', input: 0 },
      ],
      [
        { operation: 'identity', input: 0 },
        { operation: 'dilated_convolution', input: 1 },
      ],
      [
        { operation: 'identity', input: 2 },
        { operation: 'convolution', input: 0 },
      ],
    ],
  });
});

test('the base is two residual convolutions, and of the space', () => {
  expect(space.decode(space.baseChoices)).toEqual(space.base);
  expect(walk(space, space.baseChoices)).toEqual(space.baseChoices);
  const { cell } = childOf(space.baseChoices);
  expect(cell.flat().map(({ operation }) => operation)).toEqual([
    ...['convolution', 'identity', 'convolution', 'identity', 'identity', 'identity'],
  ]);
  expect(looseEnds(cell)).toEqual([3]);
});

describe.each([
  [36, 51, 35],
  [5, 64, 70],
  [1, 16, 16],
] as const)('volumes of %i x %i x %i voxels', (...volume) => {
  const space = microSpace(volume, dimensions);

  test('every walk ends at a child that architecture.json can keep, and no other walk ends at the same', () => {
    const walked = new Map<string, string>();
    fc.assert(
      fc.property(walks(space), (choices) => {
        const child = space.decode(choices);
        expect(architectureSchema.parse(JSON.parse(JSON.stringify(child)))).toEqual(child);
        expect(walked.get(JSON.stringify(child)) ?? choices.join()).toBe(choices.join());
        walked.set(JSON.stringify(child), choices.join());
      }),
    );
    expect(walked.size).toBeGreaterThan(90);
  });

  test('a child costs at most one and a half times what the base costs, but for added 1x1x1 convolutions', () => {
    const limit = 1.5 * costOfChild(space.base).multiplyAdds;
    fc.assert(
      fc.property(walks(space), (choices) => {
        expect(costOfChild(space.decode(choices)).multiplyAdds).toBeLessThan(1.04 * limit);
      }),
    );
  });

  test('no child keeps more activations than the largest, which is of the space', () => {
    const most = costOfChild(space.largest).activations;
    fc.assert(
      fc.property(walks(space), (choices) => {
        expect(costOfChild(space.decode(choices)).activations).toBeLessThanOrEqual(most);
      }),
    );
    if (space.largest.space !== 'micro') throw new Error('It is of another space.');
    expect(lookingAround(space.largest.cell)).toBe(3);
  });
});

test('three operations on 3x3x3 voxels are admitted in any places, and no fourth', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(walks(space), (choices) => {
      const { cell } = childOf(choices);
      expect(lookingAround(cell)).toBeLessThanOrEqual(3);
      for (const { operation } of cell.flat()) seen.add(operation);
    }),
    { numRuns: 200 },
  );
  expect([...seen].sort()).toEqual([...operationNames].sort());
  // After three of them, what is left is what looks at one voxel.
  expect(space.admitted([0, 1, 0, 0, 4])).toEqual([false, false, true, true, false]);
  expect(space.admitted([0, 1, 0, 0, 3])).toEqual([true, true, true, true, true]);
  expect(space.admitted([0, 1, 0, 0, 4, 2])).toEqual([true, true, true]);
});

describe('loose ends', () => {
  test('are the nodes that none takes in: the last one always', () => {
    fc.assert(
      fc.property(walks(space), (choices) => {
        const { cell } = childOf(choices);
        const taken = cell.flatMap((node) => node.map(({ input }) => input));
        const ends = looseEnds(cell);
        expect(ends).toContain(3);
        for (const node of [1, 2, 3]) expect(ends.includes(node)).toBe(!taken.includes(node));
      }),
    );
  });
});

describe('architecture.json', () => {
  test('of a run from before there was a micro space is of the macro space', () => {
    const { space: _, ...old } = macroSpace([36, 51, 35], dimensions).base;
    expect(architectureSchema.parse(old)).toEqual({ space: 'macro', ...old });
  });

  test('whose node takes in a later one is refused', () => {
    const child = childOf(space.baseChoices);
    const [first, second, last] = child.cell;
    const cell = [[{ operation: 'identity', input: 1 }, first[1]], second, last];
    expect(() => architectureSchema.parse({ ...child, cell })).toThrow(/earlier nodes only/);
    expect(() => architectureSchema.parse({ ...child, cell: [first, second] })).toThrow();
  });
});
