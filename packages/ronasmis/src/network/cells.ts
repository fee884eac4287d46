import type { Activation } from '@ronasmis/libtorch';
import {
  type CellKind,
  type Cells,
  type CellsLayout,
  type Edge,
  type EdgeOperation,
  edgeKind,
} from '../architecture/cells.ts';
import { productOf, type Triple } from '../base/geometry.ts';
import { sum } from '../base/statistics.ts';
import { defineNetwork, type Network } from './network.ts';
import type { Gate, Kernel, Norm, Operations } from './operations.ts';

const activation: Activation = 'leaky_relu';
/** Decoder levels whose logits are compared with the label, as of the base network: the finest, and two for deep supervision. */
const supervisedLevels = 3;

/** How the cells of a network are joined while they are searched; left out, it is a network as any other. */
export type GateOf = (edge: Edge) => Gate;

/**
 * A 3D U-Net of four kinds of cells, each repeated at every level with weights of its own (SCNAS; Kim et al. 2019, arXiv 1906.05956): encoder
 * cells, reduction cells between the levels of the encoder, and, on the way back, expansion cells and decoder cells that take in the encoder's
 * features of their level. Ours, for the paper's full text could not be had: what a cell's nodes are, the operations, the first convolution, and deep supervision.
 *
 * Volumes of any size are taken: what is reduced is rounded up, what is expanded is cut to the size of the encoder's features.
 */
export function cellsNetwork(
  { features, kernels, strides, cells }: CellsLayout & { readonly cells: Cells },
  { inputChannels, classes }: { readonly inputChannels: number; readonly classes: number },
  gateOf?: GateOf,
): Network {
  const lowest = features.length - 1;
  const shares = Array.from({ length: Math.min(supervisedLevels, lowest) }, (_, level) => 2 ** -level);
  const total = sum(shares);
  return defineNetwork({
    inputChannels,
    classes,
    supervised: shares.map((share, level) => ({
      stride: productOf(strides.slice(0, level + 1)),
      weight: share / total,
    })),
    walk: <Features>(
      operations: Operations<Features>,
      image: Features,
      { deepSupervision }: { readonly deepSupervision: boolean },
    ) => {
      const run = (kind: CellKind, level: number, inputs: readonly Features[], like?: Features): Features =>
        cell(operations, cells[kind], inputs, {
          kind,
          level,
          channels: features[level],
          size: kernels[level],
          stride: kind === 'expansion' ? strides[level + 1] : strides[level],
          like,
          gateOf,
        });
      const stem = { kernel: { name: 'stem.conv', channels: features[0], size: kernels[0] }, norm: normOf('stem') };
      const encoded: Features[] = [];
      let above = operations.convolutionBlock(image, [stem], { dilation: 1, activation });
      for (let level = 0; level <= lowest; level += 1) {
        const given = level === 0 ? above : run('reduction', level, [above]);
        above = run('encoder', level, [given]);
        encoded.push(above);
      }
      const logits: Features[] = [];
      let below = above;
      for (let level = lowest - 1; level >= 0; level -= 1) {
        const skip = encoded[level];
        below = run('decoder', level, [run('expansion', level, [below], skip), skip]);
        if (level === 0 || (deepSupervision && level < shares.length)) {
          const head = { name: `head.${level}`, channels: classes, size: point, bias: `head.${level}.bias` };
          logits.unshift(operations.convolution(below, head));
        }
      }
      return logits;
    },
  });
}

const point: Triple = [1, 1, 1];

/** Where a cell stands, and what its edges need to know. */
interface Place<Features> {
  readonly kind: CellKind;
  readonly level: number;
  readonly channels: number;
  readonly size: Triple;
  /** By which its inputs are made smaller or larger, where the kind does that. */
  readonly stride: Triple;
  /** Of the size that an expansion comes to. */
  readonly like: Features | undefined;
  readonly gateOf: GateOf | undefined;
}

/**
 * A cell: every node adds up its edges, and the output adds up the nodes, normalised. Else features would grow from cell to cell where edges keep
 * them as they are, and the search would choose operations by how large they leave features, not by what these are worth.
 */
function cell<Features>(
  operations: Operations<Features>,
  nodes: Cells[CellKind],
  inputs: readonly Features[],
  place: Place<Features>,
): Features {
  const { kind: of, level, gateOf } = place;
  const sources = [...inputs];
  const added: Features[] = [];
  nodes.forEach((edges, node) => {
    const value = operations.scope(() => {
      const terms = edges.flatMap((operation, source) => {
        if (operation === 'none') return [];
        const edge = { cell: of, node, source };
        const result = operate(operations, sources[source], operation, { ...place, edge });
        return [gateOf ? operations.gate(result, gateOf(edge)) : result];
      });
      return addUp(operations, terms);
    });
    sources.push(value);
    added.push(value);
  });
  return operations.scope(() => operations.normalise(addUp(operations, added), normOf(prefixOf(of, level))));
}

function addUp<Features>(operations: Operations<Features>, terms: readonly Features[]): Features {
  return terms.reduce((total, term) => operations.add(total, term));
}

/**
 * The operation of an edge. While cells are searched, its norm neither scales nor shifts, as in DARTS (Liu et al. 2019, section 3.1.1): a scale could
 * make up for all that its gate asks for, so that an operation without one would be preferred.
 */
function operate<Features>(
  operations: Operations<Features>,
  input: Features,
  operation: Exclude<EdgeOperation, 'none'>,
  { kind: of, level, channels, size, stride, like, gateOf, edge }: Place<Features> & { readonly edge: Edge },
): Features {
  const prefix = `${prefixOf(of, level)}.node${edge.node + 1}.from${edge.source}.${operation}`;
  const norm = gateOf ? { ...normOf(prefix), isFixed: true } : normOf(prefix);
  const kernel = (extent: Triple): Kernel => ({ name: `${prefix}.conv`, channels, size: extent });
  const changesSize = edgeKind(of, edge.source) !== 'inner';
  const convolved = (features: Features, extent: Triple, by?: Triple): Features =>
    operations.scope(() =>
      operations.normalise(operations.convolution(features, kernel(extent), by), norm, activation),
    );
  switch (operation) {
    case 'identity':
      return input;
    case 'convolution':
      if (changesSize) return convolved(input, size, stride);
      return operations.convolutionBlock(input, [{ kernel: kernel(size), norm }], { dilation: 1, activation });
    case 'dilated_convolution':
      return operations.convolutionBlock(input, [{ kernel: kernel(size), norm }], { dilation: 2, activation });
    case 'max_pooling':
    case 'average_pooling': {
      const pooling = operation === 'max_pooling' ? 'max' : 'average';
      if (!changesSize) return operations.pool(input, pooling);
      return operations.scope(() => convolved(operations.downsample(input, stride, pooling), point));
    }
    case 'transposed_convolution': {
      const up = { ...kernel(stride), name: `${prefix}.up` };
      return operations.scope(() =>
        operations.normalise(operations.transposedConvolution(input, up, like ?? input), norm, activation),
      );
    }
    case 'interpolation':
      return operations.scope(() => operations.upsampleAndAdd(convolved(input, point), stride, like ?? input, []));
  }
}

/** What the names of a cell's weights begin with. */
function prefixOf(kind: CellKind, level: number): string {
  const part = kind === 'encoder' || kind === 'reduction' ? 'encoder' : 'decoder';
  return `${part}.${level}.${kind}`;
}

const normOf = (prefix: string): Norm => ({ scale: `${prefix}.scale`, shift: `${prefix}.shift` });
