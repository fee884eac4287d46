import {
  noGradient,
  oneDnnTakesBfloat16,
  peakTensorBytes,
  resetPeakTensorBytes,
  scope,
  tensor,
} from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import {
  allEdges,
  type Cells,
  cellsOf,
  cellsSchema,
  type Edge,
  type EdgeOperation,
  type OpenCellsUNet,
  operationsFrom,
} from '../../src/architecture/cells.ts';
import { createRandom } from '../../src/base/random.ts';
import { dataTypeOf, type Precision } from '../../src/engine/device.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { cellsNetwork } from '../../src/network/cells.ts';
import { forward } from '../../src/network/forward.ts';
import { relaxedChoice } from '../../src/network/gates.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { passBytes } from '../../src/network/memory.ts';
import type { Network } from '../../src/network/network.ts';
import {
  coveringNetworks,
  drawnNetwork,
  entropyOfEdges,
  evenlyDrawnNetwork,
  type LogitsOf,
  largestNetwork,
  likeliestCells,
  logitsName,
} from '../../src/network/open-cells.ts';
import type { Gate } from '../../src/network/operations.ts';
import { sharedParameters } from '../../src/network/parameters.ts';
import { createWeights, networkWeights, type Weights, weight } from '../../src/network/weights.ts';
import { unet } from '../architecture/unet.ts';
import { chirpValues, product } from '../chirp.ts';
import { chirpLabel, trainedNames } from './peer.ts';

const ends = { inputChannels: 2, classes: 3 };
const { patch, kernels, strides } = unet;
const open: OpenCellsUNet = {
  kind: 'open_cells',
  ...{ patch, kernels, strides },
  batch: 1,
  features: [4, 6, 8],
};
const relaxation = { sharpness: 1, temperature: 1 };
const even: LogitsOf = ({ cell, source }) => operationsFrom(cell, source).map(() => 0);
/** Other ones for each edge, which no operation has by accident. */
const uneven: LogitsOf = (edge) =>
  operationsFrom(edge.cell, edge.source).map((_, i) => Math.sin(7 * i + edge.node + 3 * edge.source));

const draw = (random: ReturnType<typeof createRandom>, logitsOf: LogitsOf = even, of = open) =>
  drawnNetwork(of, ends, { logitsOf, random, relaxation });

/** The gates of a network, and so what was drawn: an edge that is left out has none. */
function gatesOf({ parameters }: Network): ReadonlyMap<string, Gate> {
  return new Map(parameters.flatMap(({ gate }) => (gate ? [[gate.logits, gate] as const] : [])));
}

const softmax = (scores: readonly number[]): readonly number[] => {
  const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
  return scores.map((score) => Math.exp(score) / total);
};

describe('what is drawn on an edge follows the softmax of its logits', () => {
  const draws = 10_000;
  const random = createRandom(5);
  const counts = new Map(allEdges.map((edge) => [logitsName(edge), even(edge).map(() => 0)]));
  for (let one = 0; one < draws; one += 1) {
    const gates = gatesOf(draw(random, uneven));
    for (const [name, count] of counts) count[gates.get(name)?.chosen ?? 0] += 1;
  }
  const edgesOf = ({ cell, node }: Edge) => allEdges.filter((edge) => edge.cell === cell && edge.node === node);
  const edgesFrom = ({ cell, source }: Edge) =>
    allEdges.filter((edge) => cell === 'decoder' && source < 2 && edge.cell === cell && edge.source === source);
  const shareOfNone = (edge: Edge): number => softmax(uneven(edge))[0];

  it.each(allEdges)('of node $node from $source of the $cell cell', (edge) => {
    const allNone = (edges: readonly Edge[]): number =>
      edges.reduce((product, one) => product * shareOfNone(one), edges.length > 0 ? 1 : 0);
    const all = allNone(edgesOf(edge)) + allNone(edgesFrom(edge));
    const [none, ...others] = softmax(uneven(edge));
    // Where all edges into its node, or from its input, would be left out, it is put in instead with some probability. Then its operation is drawn
    // by the softmax without none, so that the others' proportions stay.
    const put = edgesOf(edge).length === 1 ? [none, none] : [0, all];
    const found = (counts.get(logitsName(edge)) ?? []).map((count) => count / draws);
    const error = (share: number): number => 4 * Math.sqrt((share * (1 - share)) / draws);
    expect(found[0]).toBeGreaterThanOrEqual(none - put[1] - error(none));
    expect(found[0]).toBeLessThanOrEqual(none - put[0] + error(none));
    others.forEach((share, at) => {
      const expected = (share / (1 - none)) * (1 - found[0]);
      expect(Math.abs(found[at + 1] - expected)).toBeLessThan(error(expected));
    });
  });

  it('with the nodes of one edge never without it', () => {
    for (const edge of allEdges.filter((one) => edgesOf(one).length === 1)) {
      expect(counts.get(logitsName(edge))?.[0]).toBe(0);
    }
  });

  it('and edges with equal logits share the node that would be left out evenly', () => {
    const [one, other] = allEdges.filter(({ cell, node }) => cell === 'encoder' && node === 1);
    const mostlyNone: LogitsOf = (edge) => even(edge).map((_, i) => (i === 0 ? 4 : 0));
    let [first, second] = [0, 0];
    for (let at = 0; at < 2000; at += 1) {
      const gates = gatesOf(draw(random, mostlyNone));
      if (gates.has(logitsName(one))) first += 1;
      if (gates.has(logitsName(other))) second += 1;
    }
    expect(first + second).toBeGreaterThanOrEqual(2000);
    expect(Math.abs(first - second)).toBeLessThan(4 * Math.sqrt(2000));
  });
});

it('drawn evenly, each operation of an edge that nothing is put into comes as often, and there is no gate', () => {
  const random = createRandom(3);
  const [draws, counts] = [2000, new Map<string, number>()];
  for (let one = 0; one < draws; one += 1) {
    const { parameters } = evenlyDrawnNetwork(open, ends, random);
    expect(parameters.some(({ gate }) => gate)).toBe(false);
    // Of the first edge into the decoder's first node: of its operations, these two have weights.
    for (const operation of ['convolution', 'dilated_convolution']) {
      const isThere = parameters.some(({ name }) => name === `decoder.0.decoder.node1.from0.${operation}.conv`);
      counts.set(operation, (counts.get(operation) ?? 0) + Number(isThere));
    }
  }
  // None is drawn in a sixth; where the node's other edge has none too, one of them is put in, each operation but none being as likely.
  const expected = draws * (1 / 6 + (1 / 6) ** 2 / 2 / 5);
  for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(draws / 6));
});

it('norms within the edges neither scale nor shift while cells are searched, those of the cells do', () => {
  const parameters = sharedParameters(coveringNetworks(open, ends));
  const weights = createWeights(parameters, 'cpu', 1);
  const norms = parameters.filter(
    ({ kind, name }) => (kind === 'scale' || kind === 'shift') && !name.startsWith('head'),
  );
  expect(norms.length).toBeGreaterThan(100);
  for (const { name } of norms) {
    expect(weight(weights, name).requiresGradient, name).toBe(!/\.node\d\.from\d\./.test(name));
  }
  const found = cellsNetwork({ ...open, cells: likeliestCells(uneven) }, ends).parameters;
  expect(found.every(({ isFixed }) => isFixed === undefined)).toBe(true);
});

describe('the likeliest cells', () => {
  it('have the operation of the highest logit on each edge, but a node and an input of a cell have one edge at least', () => {
    const cells = likeliestCells((edge) => uneven(edge).with(2, 5));
    for (const { cell, node, source } of allEdges) {
      expect(cells[cell][node][source]).toBe(operationsFrom(cell, source)[2]);
    }
    const withoutAny = likeliestCells((edge) => even(edge).map((_, i) => (i === 0 ? 3 : i === 1 ? edge.source : 0)));
    // Of a node's edges, the last one comes nearest to its none; of those from what is below the decoder, which is to be there too, the first of equals.
    expect(withoutAny.encoder).toEqual([['identity'], ['none', 'identity']]);
    expect(withoutAny.decoder).toEqual([
      ['identity', 'identity'],
      ['none', 'none', 'identity'],
    ]);
    expect(cellsSchema.safeParse({ ...open, kind: 'cells', cells: withoutAny }).success).toBe(true);
  });
});

describe('entropy', () => {
  it('is that of all edges together: of even logits the logarithm of how many cells there are', () => {
    const cells = allEdges.reduce((product, { cell, source }) => product * operationsFrom(cell, source).length, 1);
    expect(entropyOfEdges(even, { sharpness: 25 })).toBeCloseTo(Math.log(cells), 10);
  });

  it('falls to 0 as an operation takes all', () => {
    const leading: LogitsOf = (edge) => even(edge).map((_, i) => (i === 1 ? 1 : 0));
    const entropies = [0, 1, 5, 1000].map((sharpness) => entropyOfEdges(leading, { sharpness }));
    expect(entropies).toEqual(entropies.toSorted((a, b) => b - a));
    expect(entropies[3]).toBe(0);
  });
});

describe('weights that are shared', () => {
  const shared = sharedParameters(coveringNetworks(open, ends));
  const names = new Set(shared.map(({ name }) => name));

  it('are all that any drawn network has, and logits for each edge in place of its gates', () => {
    const random = createRandom(2);
    for (let one = 0; one < 50; one += 1) {
      const network = draw(random);
      for (const { name, gate } of [...network.parameters, ...network.auxiliaryParameters]) {
        expect(names).toContain(gate?.logits ?? name);
      }
    }
    const logits = shared.filter(({ kind }) => kind === 'logits').map(({ name, shape }) => [name, shape] as const);
    expect(new Map(logits)).toEqual(new Map(allEdges.map((edge) => [logitsName(edge), [even(edge).length]])));
    expect(logits).toHaveLength(allEdges.length);
    expect(shared.filter(({ kind }) => kind === 'gate')).toEqual([]);
  });

  it('serve the found network, which has no gate and no logits', () => {
    const found = cellsNetwork({ ...open, cells: likeliestCells(uneven) }, ends);
    expect(trainedNames(found).filter((name) => !names.has(name))).toEqual([]);
    expect(found.parameters.filter(({ kind }) => kind === 'gate' || kind === 'logits')).toEqual([]);
  });
});

const size = [8, 16, 16] as const;
const image = Float32Array.from(chirpValues(2 * product(size), 1));
const label = chirpLabel(product(size), 3, 3);

/** The loss of a network on one volume, with other factors at its gates where some are given. */
function lossOf(network: Network, weights: Weights, factors: Weights = new Map()) {
  const used = new Map([...networkWeights(network, weights, 'float32', { deepSupervision: true }), ...factors]);
  const input = toImage(image, [1, 2, ...size], 'cpu', 'float32');
  return networkLoss(network, forward(network, used, input, { deepSupervision: true }), tensor(label, [1, ...size]));
}

describe('a loss through a drawn network', () => {
  const random = createRandom(8);
  const network = drawnNetwork(open, ends, {
    // Max pooling has kinks, near which differences say little.
    logitsOf: (edge) => operationsFrom(edge.cell, edge.source).map((name) => (name === 'max_pooling' ? -20 : 0)),
    random,
    relaxation: { sharpness: 2, temperature: 0.7 },
  });
  const gates = gatesOf(network);
  const weights = createWeights(sharedParameters(coveringNetworks(open, ends)), 'cpu', 1);

  it('gives the logits of an edge the gradient that finite differences have, its operation weighted by 1 and what its share grows by', () => {
    scope(() => lossOf(network, weights).backward());
    let compared = 0;
    for (const [name, gate] of gates) {
      const logits = weight(weights, name);
      const gradient = logits.gradient?.toNumbers() ?? [];
      const values = logits.toNumbers();
      const shareOf = (changed: readonly number[]): number =>
        noGradient(() => scope(() => relaxedChoice(tensor(Float32Array.from(changed), [changed.length]), gate).item()));
      const before = shareOf(values);
      const weighted = (changed: readonly number[]): number =>
        noGradient(() =>
          scope(() => {
            const factor = tensor(Float32Array.of(1 + shareOf(changed) - before), [1]);
            return lossOf(network, weights, new Map([[gate.name, factor]])).item();
          }),
        );
      const step = 0.01;
      for (const at of [gate.chosen, 0]) {
        const [more, less] = [step, -step].map((by) => weighted(values.with(at, values[at] + by)));
        const expected = (more - less) / (2 * step);
        expect(Math.abs(gradient[at] - expected), `${name} ${at}`).toBeLessThan(3e-4 + 0.1 * Math.abs(expected));
        if (Math.abs(expected) > 2e-3) compared += 1;
      }
    }
    expect(compared).toBeGreaterThanOrEqual(4);
  });
});

describe.skipIf(process.platform !== 'linux')('memory', () => {
  const wide: OpenCellsUNet = { ...open, features: [12, 18, 24] };
  const [batch, extent] = [2, [12, 40, 36] as const];
  const pass = { batch, size: extent, device: 'cpu', training: true } as const;
  const precisions: readonly Precision[] = oneDnnTakesBfloat16() ? ['fp32', 'bf16'] : ['fp32'];
  const scan = new Float32Array(batch * 2 * product(extent)).fill(1);
  const classes = new Uint8Array(batch * product(extent));

  /** Bytes that a training step adds to those of the tensors that are alive, at most, the gradients of its weights included. */
  function measured(network: Network, precision: Precision): number {
    const dataType = dataTypeOf[precision];
    const fresh = createWeights(sharedParameters([network]), 'cpu', 1);
    resetPeakTensorBytes('cpu');
    const before = peakTensorBytes('cpu');
    scope(() => {
      const loss = scope(() => {
        const own = networkWeights(network, fresh, dataType, { deepSupervision: true });
        const logits = forward(network, own, toImage(scan, [batch, 2, ...extent], 'cpu', dataType), {
          deepSupervision: true,
        });
        return networkLoss(network, logits, tensor(classes, [batch, ...extent]));
      });
      loss.backward();
    });
    return peakTensorBytes('cpu') - before;
  }

  it.each(precisions)(
    "of a drawn network's step in %s is within a tenth of what libtorch's allocator gives out",
    (precision) => {
      const random = createRandom(4);
      const networks = [largestNetwork(wide, ends), ...Array.from({ length: 6 }, () => draw(random, even, wide))];
      for (const network of networks) {
        const counted = passBytes(network, { ...pass, dataType: dataTypeOf[precision] });
        expect(Math.abs(counted / measured(network, precision) - 1)).toBeLessThan(0.1);
      }
    },
  );

  it.each(['float32', 'bfloat16'] as const)('in %s, no drawn network takes more than the largest one', (dataType) => {
    const random = createRandom(6);
    for (const device of ['cpu', 'cuda'] as const) {
      const bytes = (network: Network) => passBytes(network, { ...pass, device, dataType });
      const most = bytes(largestNetwork(wide, ends));
      for (let one = 0; one < 60; one += 1) expect(bytes(draw(random, even, wide))).toBeLessThanOrEqual(most);
    }
  });

  it('is less than a third of what all operations of every edge would take at once', () => {
    const bytes = (chosen: (edge: Edge) => EdgeOperation) =>
      passBytes(gated(wide, chosen), { ...pass, dataType: 'float32' });
    // Each operation adds to a network of the least what it takes more than the least one of its edge.
    const least = (edge: Edge): EdgeOperation => operationsFrom(edge.cell, edge.source)[1];
    const smallest = bytes(least);
    const added = allEdges.flatMap((edge) =>
      operationsFrom(edge.cell, edge.source)
        .slice(2)
        .map(
          (operation) =>
            bytes((other) => (logitsName(other) === logitsName(edge) ? operation : least(other))) - smallest,
        ),
    );
    const all = added.reduce((sum, one) => sum + Math.max(0, one), smallest);
    const random = createRandom(4);
    const drawn = Array.from({ length: 40 }, () =>
      passBytes(draw(random, even, wide), { ...pass, dataType: 'float32' }),
    );
    const mean = drawn.reduce((sum, one) => sum + one, 0) / drawn.length;
    expect(mean).toBeLessThan(all / 3);
    expect(Math.max(...drawn)).toBeLessThan(all / 2);
  });
});

/** A network of these operations with a gate on each edge. */
function gated(of: OpenCellsUNet, chosen: (edge: Edge) => EdgeOperation): Network {
  const cells: Cells = cellsOf(chosen);
  return cellsNetwork({ ...of, cells }, ends, (edge) => {
    const noise = operationsFrom(edge.cell, edge.source).map(() => 0);
    return { name: `gate.${logitsName(edge)}`, logits: logitsName(edge), chosen: 0, noise, ...relaxation };
  });
}
