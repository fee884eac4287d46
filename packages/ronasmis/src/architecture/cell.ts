import { z } from 'zod';

/** What a node of a cell can do to one of its inputs. */
export interface Operation {
  /** As the literature writes it. */
  readonly name: string;
  /** Edge of its kernel in voxels; 0 where it has none. */
  readonly kernel: 0 | 1 | 3;
  /** Whether it looks at 3x3x3 voxels, which is what takes time: a max pooling about as much as a convolution of 16 channels. */
  readonly looksAround: boolean;
  /** Elements that it keeps for the backward pass, for each of its output; the indices of a max pooling are of 8 bytes each. */
  readonly kept: 0 | 1 | 2;
}

/** The operations of the micro space, as ENAS has them (Pham et al. 2018, section 2.5), with ordinary convolutions in three dimensions. */
export const operations = {
  convolution: { name: '3x3x3 convolution', kernel: 3, looksAround: true, kept: 1 },
  dilated_convolution: { name: 'dilated 3x3x3 convolution', kernel: 3, looksAround: true, kept: 1 },
  pointwise_convolution: { name: '1x1x1 convolution', kernel: 1, looksAround: false, kept: 1 },
  identity: { name: 'identity', kernel: 0, looksAround: false, kept: 0 },
  max_pooling: { name: '3x3x3 max pooling', kernel: 0, looksAround: true, kept: 2 },
} as const satisfies Readonly<Record<string, Operation>>;

export const operationNames = [
  'convolution',
  'dilated_convolution',
  'pointwise_convolution',
  'identity',
  'max_pooling',
] as const satisfies readonly (keyof typeof operations)[];
export type OperationName = (typeof operationNames)[number];

/** Nodes of a cell. The cost limit leaves three operations on 3x3x3 voxels: with more nodes, most would have to do little. */
export const cellNodes = 3;

/** One operation on one input: 0 is the cell's own input, n the n-th node. */
const termSchema = z.strictObject({ operation: z.enum(operationNames), input: z.int().min(0) });

/**
 * A cell (ENAS, section 2.5): a small graph whose nodes each add two operations on two inputs, which are the cell's input and earlier
 * nodes. What no node takes in is added up into the output.
 */
export const cellSchema = z
  .array(z.tuple([termSchema, termSchema]).readonly())
  .length(cellNodes)
  .refine((nodes) => nodes.every((terms, index) => terms.every(({ input }) => input <= index)), {
    error: 'A node of a cell takes in the cell input and earlier nodes only.',
  })
  .readonly();

export type Cell = z.infer<typeof cellSchema>;
export type Term = z.infer<typeof termSchema>;

/** Name of what a node can take in: the cell's input, or an earlier node. */
export function sourceName(index: number): string {
  return index === 0 ? 'input' : `node ${index}`;
}

/** Nodes that no other takes in, counted from 1: the cell's output is their sum. Never none. */
export function looseEnds(cell: Cell): readonly number[] {
  const taken = cell.flatMap((terms) => terms.map(({ input }) => input));
  return cell.map((_, index) => index + 1).filter((node) => !taken.includes(node));
}
