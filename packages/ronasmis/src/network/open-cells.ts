import {
  allEdges,
  type Cells,
  cellKinds,
  cellsOf,
  type Edge,
  type EdgeOperation,
  edgeOperations,
  type OpenCellsUNet,
  operationsFrom,
} from '../architecture/cells.ts';
import { groupBy } from '../base/group-by.ts';
import type { Random } from '../base/random.ts';
import { sum } from '../base/statistics.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { cellsNetwork } from './cells.ts';
import { gumbel } from './gates.ts';
import type { Network } from './network.ts';

/** What fixes the shapes of a network's first and last weights. */
type Ends = Parameters<typeof cellsNetwork>[1];
/** Logits of the operations of an edge. */
export type LogitsOf = (edge: Edge) => readonly number[];
/** How far a search is from its end: what its gates are drawn and relaxed with. */
export interface Relaxation extends Pick<Recipe['cells'], 'sharpness'> {
  readonly temperature: number;
}

/** The name of an edge's logits among the weights. */
export const logitsName = ({ cell, node, source }: Edge): string => `structure.${cell}.node${node + 1}.from${source}`;

/** What a network is drawn by. */
export interface Draw {
  readonly logitsOf: LogitsOf;
  readonly random: Random;
  readonly relaxation: Relaxation;
}

/** A network whose cells were drawn, each edge an operation by its probability. Only what was drawn is computed and kept in memory. */
export function drawnNetwork(open: OpenCellsUNet, ends: Ends, { logitsOf, random, relaxation }: Draw): Network {
  const noise = ofEdges((edge) => operationsFrom(edge.cell, edge.source).map(() => gumbel(random)));
  const scores = ofEdges((edge) =>
    logitsOf(edge).map((logit, operation) => relaxation.sharpness * logit + noise(edge)[operation]),
  );
  return gatedNetwork(open, ends, { chosen: chosenBy(scores), noise, relaxation });
}

/** The same with every operation of an edge as likely as the others, and nothing that tells the logits what they are worth. */
export function evenlyDrawnNetwork(open: OpenCellsUNet, ends: Ends, random: Random): Network {
  const scores = ofEdges((edge) => operationsFrom(edge.cell, edge.source).map(() => random.uniform()));
  return cellsNetwork({ ...open, cells: cellsChosen(chosenBy(scores)) }, ends);
}

/** The cells that are the likeliest by these logits. */
export function likeliestCells(logitsOf: LogitsOf): Cells {
  return cellsChosen(chosenBy(ofEdges(logitsOf)));
}

/** Entropy of the choices of all edges together, as their operations are drawn, nats. */
export function entropyOfEdges(logitsOf: LogitsOf, { sharpness }: Pick<Relaxation, 'sharpness'>): number {
  const entropies = allEdges.map((edge) => {
    const scores = logitsOf(edge).map((logit) => sharpness * logit);
    const highest = Math.max(...scores);
    const shares = scores.map((score) => Math.exp(score - highest));
    const total = sum(shares);
    return -sum(shares.map((share) => (share / total) * Math.log(share / total || 1)));
  });
  return sum(entropies);
}

/** Networks that have all weights between them that drawn ones may have. */
export function coveringNetworks(open: OpenCellsUNet, ends: Ends): readonly Network[] {
  const most = Math.max(...Object.values(edgeOperations).map(({ length }) => length));
  return Array.from({ length: most - 1 }, (_, one) =>
    networkOfOperations(open, ends, (edge) => 1 + (one % (operationsFrom(edge.cell, edge.source).length - 1))),
  );
}

/** The network among those that can be drawn that takes the most memory: max pooling keeps where each of its voxels comes from. */
export function largestNetwork(open: OpenCellsUNet, ends: Ends): Network {
  const costly: readonly EdgeOperation[] = ['max_pooling', 'transposed_convolution'];
  return networkOfOperations(open, ends, (edge) =>
    operationsFrom(edge.cell, edge.source).findIndex((operation) => costly.includes(operation)),
  );
}

function networkOfOperations(open: OpenCellsUNet, ends: Ends, chosen: OfEdges<number>): Network {
  const noise: OfEdges<readonly number[]> = ({ cell, source }) => operationsFrom(cell, source).map(() => 0);
  return gatedNetwork(open, ends, { chosen, noise, relaxation: { temperature: 1, sharpness: 1 } });
}

/** Something that each edge has. */
type OfEdges<Value> = (edge: Edge) => Value;

/** Asks once for what each edge has. */
function ofEdges<Value>(of: OfEdges<Value>): OfEdges<Value> {
  const values = new Map(allEdges.map((edge) => [logitsName(edge), { value: of(edge) }]));
  return (edge) => {
    const found = values.get(logitsName(edge));
    if (!found) throw new Error(`There is no edge ${logitsName(edge)}.`);
    return found.value;
  };
}

const cellsChosen = (chosen: OfEdges<number>): Cells =>
  cellsOf((edge) => operationsFrom(edge.cell, edge.source)[chosen(edge)]);

function gatedNetwork(
  open: OpenCellsUNet,
  ends: Ends,
  {
    chosen,
    noise,
    relaxation,
  }: {
    readonly chosen: OfEdges<number>;
    readonly noise: OfEdges<readonly number[]>;
    readonly relaxation: Relaxation;
  },
): Network {
  return cellsNetwork({ ...open, cells: cellsChosen(chosen) }, ends, (edge) => {
    const logits = logitsName(edge);
    return { name: `gate.${logits}`, logits, chosen: chosen(edge), noise: noise(edge), ...relaxation };
  });
}

/**
 * The operation of the highest score on each edge, but where all edges into a node, or from one of the inputs of a decoder, would be left out, the one that
 * came nearest to being in is. So where a node has one edge, its operation is drawn by the softmax without `none`.
 */
function chosenBy(scores: OfEdges<readonly number[]>): OfEdges<number> {
  const best = ofEdges((edge) => indexOfHighest(scores(edge)));
  const bestOfOthers = ofEdges((edge) => indexOfHighest(scores(edge).with(none, -Infinity)));
  const lag = (edge: Edge): number => scores(edge)[none] - scores(edge)[bestOfOthers(edge)];
  const mended = new Set(
    joined
      .filter((edges) => edges.every((edge) => best(edge) === none))
      .map((edges) => logitsName(edges.reduce((one, other) => (lag(other) < lag(one) ? other : one)))),
  );
  return (edge) => (mended.has(logitsName(edge)) ? bestOfOthers(edge) : best(edge));
}

const indexOfHighest = (scores: readonly number[]): number => scores.indexOf(Math.max(...scores));

/** The place of `none` among the operations of any edge. */
const none = 0;

/**
 * Of each of these groups one edge is there: of those into a node, and, where a cell has several inputs, of those from each, or decoders would
 * leave out what is below them while that has learnt little.
 */
const joined: readonly (readonly Edge[])[] = [
  ...groupBy(allEdges, ({ cell, node }) => `${cell} ${node}`).values(),
  ...groupBy(
    allEdges.filter(({ cell, source }) => cellKinds[cell].inputs > 1 && source < cellKinds[cell].inputs),
    ({ cell, source }) => `${cell} ${source}`,
  ).values(),
];
