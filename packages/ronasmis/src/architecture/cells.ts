import { z } from 'zod';
import { patchSchema } from './patch.ts';

/**
 * What an edge of a cell can do. `none` leaves the edge out, so that what is connected is searched as well.
 * - within a cell: operations that keep size and width;
 * - into a reduction cell: those that make features smaller by the stride of the level;
 * - into an expansion cell: those that bring features back to the size of the level above.
 */
export const edgeOperations = {
  inner: ['none', 'identity', 'convolution', 'dilated_convolution', 'max_pooling', 'average_pooling'],
  reducing: ['none', 'convolution', 'max_pooling', 'average_pooling'],
  expanding: ['none', 'transposed_convolution', 'interpolation'],
} as const;

/** Where an edge begins: inside its cell, or at the input of a cell that changes the size. */
export type EdgeKind = keyof typeof edgeOperations;
export type EdgeOperation = (typeof edgeOperations)[EdgeKind][number];

/** The four kinds of cells (Kim et al. 2019), and the kind of the edges that begin at a cell's inputs. */
export const cellKinds = {
  encoder: { inputs: 1, into: 'inner' },
  reduction: { inputs: 1, into: 'reducing' },
  decoder: { inputs: 2, into: 'inner' },
  expansion: { inputs: 1, into: 'expanding' },
} as const satisfies Readonly<Record<string, { readonly inputs: 1 | 2; readonly into: EdgeKind }>>;
export type CellKind = keyof typeof cellKinds;
export const cellKindNames = ['encoder', 'reduction', 'decoder', 'expansion'] as const satisfies readonly CellKind[];

/** Nodes of a cell, each the sum of its edges from the cell's inputs and from all earlier nodes; the output is the sum of all nodes. */
export const nodesOfCell = 2;

/** The kind of the edge that comes from a source: the cell's inputs are the first ones, its nodes follow. */
export const edgeKind = (cell: CellKind, source: number): EdgeKind =>
  source < cellKinds[cell].inputs ? cellKinds[cell].into : 'inner';

/** A node as the operations of its edges, in the order of where they come from. */
const nodesSchema = (cell: CellKind) =>
  z
    .array(
      z
        .array(z.enum(['none', ...edgeOperations.inner, ...edgeOperations.reducing, ...edgeOperations.expanding]))
        .readonly(),
    )
    .length(nodesOfCell)
    .readonly()
    .refine(
      (nodes) =>
        nodes.every(
          (edges, node) =>
            edges.length === cellKinds[cell].inputs + node &&
            edges.every((operation, source) => operationsFrom(cell, source).includes(operation)) &&
            edges.some((operation) => operation !== 'none'),
        ),
      { error: 'A node has an edge from each input of its cell and each node before it, not all of them none.' },
    );

/** What an edge from this source can do. */
export const operationsFrom = (cell: CellKind, source: number): readonly EdgeOperation[] =>
  edgeOperations[edgeKind(cell, source)];

const cellsOfKindsSchema = z.strictObject({
  encoder: nodesSchema('encoder'),
  reduction: nodesSchema('reduction'),
  decoder: nodesSchema('decoder'),
  expansion: nodesSchema('expansion'),
});
/** The found cells. */
export type Cells = z.infer<typeof cellsOfKindsSchema>;

const extentSchema = z.int().positive();
const tripleSchema = z.tuple([extentSchema, extentSchema, extentSchema]).readonly();

/** What of a U-Net of cells is not searched; a list has an entry for each level, the full resolution first. */
const layoutSchema = z.strictObject({
  patch: patchSchema,
  /** Patches in a batch. */
  batch: extentSchema,
  /** Channels. */
  features: z.array(extentSchema).min(2).readonly(),
  /** `[depth, height, width]` of the kernels that look around. */
  kernels: z.array(tripleSchema).readonly(),
  /** By which a level is smaller than the one above it; the first is 1, 1, 1. */
  strides: z.array(tripleSchema).readonly(),
});

const perLevel = ({ features, kernels, strides }: z.infer<typeof layoutSchema>): boolean =>
  kernels.length === features.length && strides.length === features.length;
const unequal = { error: 'A U-Net of cells has as many kernels and strides as features.' };

/** A U-Net of cells (SCNAS, after Kim et al. 2019), as `architecture.json` keeps it. */
export const cellsSchema = layoutSchema
  .extend({ kind: z.literal('cells'), cells: cellsOfKindsSchema })
  .refine(perLevel, unequal);
/** The same whose cells are yet to be found. */
export const openCellsSchema = layoutSchema.extend({ kind: z.literal('open_cells') }).refine(perLevel, unequal);

export type CellsUNet = z.infer<typeof cellsSchema>;
export type OpenCellsUNet = z.infer<typeof openCellsSchema>;
/** What of them is not searched. */
export type CellsLayout = z.infer<typeof layoutSchema>;

/** One edge of a cell: its node, and its source among the cell's inputs and earlier nodes. */
export interface Edge {
  readonly cell: CellKind;
  readonly node: number;
  readonly source: number;
}

/** All edges of the four cells. */
export const allEdges: readonly Edge[] = cellKindNames.flatMap((cell) =>
  Array.from({ length: nodesOfCell }, (_, node) =>
    Array.from({ length: cellKinds[cell].inputs + node }, (_, source) => ({ cell, node, source })),
  ).flat(),
);

/** The cells whose edges do what is said of each. */
export function cellsOf(operationOf: (edge: Edge) => EdgeOperation): Cells {
  const cell = (kind: CellKind) =>
    Array.from({ length: nodesOfCell }, (_, node) =>
      Array.from({ length: cellKinds[kind].inputs + node }, (_, source) => operationOf({ cell: kind, node, source })),
    );
  return {
    encoder: cell('encoder'),
    reduction: cell('reduction'),
    decoder: cell('decoder'),
    expansion: cell('expansion'),
  };
}
