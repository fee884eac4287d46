import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allEdges,
  type CellKind,
  type CellsUNet,
  cellKindNames,
  cellKinds,
  cellsOf,
  cellsSchema,
  edgeKind,
  edgeOperations,
  nodesOfCell,
  openCellsSchema,
  operationsFrom,
} from '../../src/architecture/cells.ts';

const found: CellsUNet = {
  kind: 'cells',
  patch: { depth: 16, height: 32, width: 32 },
  batch: 2,
  features: [4, 8],
  kernels: [
    [1, 3, 3],
    [3, 3, 3],
  ],
  strides: [
    [1, 1, 1],
    [1, 2, 2],
  ],
  cells: {
    encoder: [['convolution'], ['identity', 'none']],
    reduction: [['max_pooling'], ['none', 'dilated_convolution']],
    decoder: [
      ['convolution', 'none'],
      ['identity', 'identity', 'average_pooling'],
    ],
    expansion: [['interpolation'], ['transposed_convolution', 'none']],
  },
};

describe('a U-Net of cells, as a file has it', () => {
  it('is read as it is', () => {
    expect(cellsSchema.parse(JSON.parse(JSON.stringify(found)))).toEqual(found);
    const { cells: _, ...layout } = found;
    expect(openCellsSchema.parse({ ...layout, kind: 'open_cells' })).toEqual({ ...layout, kind: 'open_cells' });
  });

  it('is read with any cells whose nodes are all connected', () => {
    const chosen = fc.tuple(
      ...allEdges.map(({ cell, source }) => fc.constantFrom(...operationsFrom(cell, source).slice(1))),
    );
    fc.assert(
      fc.property(chosen, (operations) => {
        const cells = cellsOf((edge) => operations[allEdges.findIndex((other) => sameEdge(other, edge))]);
        expect(cellsSchema.parse({ ...found, cells }).cells).toEqual(cells);
      }),
    );
  });

  const notConnected = /A node has an edge from each input of its cell and each node before it, not all of them none\./;
  it.each([
    ['a node whose edges are all none', { encoder: [['none'], ['identity', 'none']] }, notConnected],
    ['an edge too few', { encoder: [['identity'], ['identity']] }, notConnected],
    [
      'an edge too many',
      {
        encoder: [
          ['identity', 'identity'],
          ['identity', 'none'],
        ],
      },
      notConnected,
    ],
    [
      'a pooling that keeps the size where it is to change',
      { reduction: [['identity'], ['none', 'identity']] },
      notConnected,
    ],
    ['an expansion inside of a cell', { expansion: [['interpolation'], ['none', 'interpolation']] }, notConnected],
    ['a node too few', { encoder: [['identity']] }, /expected array to have|Too small/i],
    ['an operation that is none', { encoder: [['convolve'], ['identity', 'none']] }, /Invalid option/],
  ])('is refused with %s', (_, cells, why) => {
    expect(() => cellsSchema.parse({ ...found, cells: { ...found.cells, ...cells } })).toThrow(why);
  });

  it('is refused without a kernel and a stride for each level', () => {
    const few = { ...found, kernels: found.kernels.slice(1) };
    expect(() => cellsSchema.parse(few)).toThrow('A U-Net of cells has as many kernels and strides as features.');
  });
});

const sameEdge = (one: (typeof allEdges)[number], other: (typeof allEdges)[number]): boolean =>
  one.cell === other.cell && one.node === other.node && one.source === other.source;

describe('edges', () => {
  it('come to each node from every input of its cell and every node before it, once', () => {
    for (const cell of cellKindNames) {
      for (let node = 0; node < nodesOfCell; node += 1) {
        const sources = allEdges.filter((edge) => edge.cell === cell && edge.node === node).map(({ source }) => source);
        expect(sources).toEqual(Array.from({ length: cellKinds[cell].inputs + node }, (_, source) => source));
      }
    }
    expect(allEdges).toHaveLength(3 + 3 + 5 + 3);
  });

  it('change the size only where they begin at an input of a cell that does', () => {
    const kinds = (cell: CellKind) => [0, 1, 2].map((source) => edgeKind(cell, source));
    expect(kinds('encoder')).toEqual(['inner', 'inner', 'inner']);
    expect(kinds('reduction')).toEqual(['reducing', 'inner', 'inner']);
    expect(kinds('decoder')).toEqual(['inner', 'inner', 'inner']);
    expect(kinds('expansion')).toEqual(['expanding', 'inner', 'inner']);
  });

  it('can all be left out, which is their first choice', () => {
    expect(Object.values(edgeOperations).map(([first]) => first)).toEqual(['none', 'none', 'none']);
  });
});
