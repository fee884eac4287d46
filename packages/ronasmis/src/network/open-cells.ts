import {
  allEdges,
  type Cells,
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
import { cellsNetwork, type GateOf } from './cells.ts';
import { type DrawnGate, drawGate } from './gates.ts';
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

/** A network whose cells were drawn, each edge an operation by its probability. Only what was drawn is computed and kept in memory. */
export function drawnNetwork(
  open: OpenCellsUNet,
  ends: Ends,
  {
    logitsOf,
    random,
    relaxation,
  }: { readonly logitsOf: LogitsOf; readonly random: Random; readonly relaxation: Relaxation },
): Network {
  const drawn = new Map(
    allEdges.map((edge) => {
      const scores = logitsOf(edge).map((logit) => relaxation.sharpness * logit);
      return [logitsName(edge), drawGate(scores, random)];
    }),
  );
  const gates = connected(
    (edge) => gateOfEdge(drawn, edge),
    ({ noise }, edge, operation) => {
      return relaxation.sharpness * logitsOf(edge)[operation] + noise[operation];
    },
  );
  const cells = cellsOf((edge) => operationsFrom(edge.cell, edge.source)[gates(edge).chosen]);
  return cellsNetwork({ ...open, cells }, ends, gated(gates, relaxation));
}

/** The cells that are the likeliest by these logits. */
export function likeliestCells(logitsOf: LogitsOf): Cells {
  const best = (edge: Edge): DrawnGate => {
    const logits = logitsOf(edge);
    return { chosen: logits.indexOf(Math.max(...logits)), noise: [] };
  };
  const gates = connected(best, (_, edge, operation) => logitsOf(edge)[operation]);
  return cellsOf((edge) => operationsFrom(edge.cell, edge.source)[gates(edge).chosen]);
}

/** Entropy of the choice of all edges, nats. */
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
  return Array.from({ length: most - 1 }, (_, one) => {
    const chosen = ({ cell, source }: Edge): number => 1 + (one % (operationsFrom(cell, source).length - 1));
    return networkOfOperations(open, ends, chosen);
  });
}

/** The network among those that can be drawn that takes the most time and memory: a convolution on every edge. */
export function largestNetwork(open: OpenCellsUNet, ends: Ends): Network {
  const costly: readonly EdgeOperation[] = ['convolution', 'transposed_convolution'];
  return networkOfOperations(open, ends, ({ cell, source }) =>
    operationsFrom(cell, source).findIndex((operation) => costly.includes(operation)),
  );
}

function networkOfOperations(open: OpenCellsUNet, ends: Ends, chosenOf: (edge: Edge) => number): Network {
  const gates = (edge: Edge): DrawnGate => ({
    chosen: chosenOf(edge),
    noise: operationsFrom(edge.cell, edge.source).map(() => 0),
  });
  const cells = cellsOf((edge) => operationsFrom(edge.cell, edge.source)[chosenOf(edge)]);
  return cellsNetwork({ ...open, cells }, ends, gated(gates, { temperature: 1, sharpness: 1 }));
}

const gated =
  (gates: (edge: Edge) => DrawnGate, relaxation: Relaxation): GateOf =>
  (edge) => ({ name: `gate.${logitsName(edge)}`, logits: logitsName(edge), ...gates(edge), ...relaxation });

function gateOfEdge(drawn: ReadonlyMap<string, DrawnGate>, edge: Edge): DrawnGate {
  const found = drawn.get(logitsName(edge));
  if (!found) throw new Error(`No operation was drawn for ${logitsName(edge)}.`);
  return found;
}

/** The same choices, but that a node all of whose edges are left out has the one that came nearest to being in. */
function connected(
  gates: (edge: Edge) => DrawnGate,
  scoreOf: (gate: DrawnGate, edge: Edge, operation: number) => number,
): (edge: Edge) => DrawnGate {
  const mended = new Map<string, number>();
  for (const edges of edgesOfNodes) {
    if (edges.some((edge) => gates(edge).chosen !== none)) continue;
    const rivals = edges.flatMap((edge) =>
      operationsFrom(edge.cell, edge.source).flatMap((_, operation) =>
        operation === none ? [] : [{ edge, operation, score: scoreOf(gates(edge), edge, operation) }],
      ),
    );
    const best = rivals.reduce((one, other) => (other.score > one.score ? other : one));
    mended.set(logitsName(best.edge), best.operation);
  }
  return (edge) => ({ ...gates(edge), chosen: mended.get(logitsName(edge)) ?? gates(edge).chosen });
}

/** The place of `none` among the operations of any edge. */
const none = 0;

const edgesOfNodes = [...groupBy(allEdges, ({ cell, node }) => `${cell} ${node}`).values()];
