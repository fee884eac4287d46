import { noGradient, scope, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allEdges,
  type CellsUNet,
  cellsOf,
  type EdgeOperation,
  edgeKind,
  operationsFrom,
} from '../../src/architecture/cells.ts';
import { compare, loadRuntime } from '../../src/export/check.ts';
import { encodeOnnx } from '../../src/export/model.ts';
import { cellsNetwork } from '../../src/network/cells.ts';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { isOfHead } from '../../src/network/parameters.ts';
import { createWeights } from '../../src/network/weights.ts';
import { recordDimensions } from '../../src/run/run-record.ts';
import { unet } from '../architecture/unet.ts';
import { chirp, product } from '../chirp.ts';
import { reportContent } from '../report/content.ts';
import { narrow, predictingNames, trainedNames } from './peer.ts';

const ends = { inputChannels: 2, classes: 3 };
const { patch, kernels, strides } = unet;
const layout = {
  ...{ patch, kernels, strides },
  batch: 1,
  features: [4, 6, 8],
} satisfies Partial<CellsUNet>;

const found: CellsUNet['cells'] = {
  encoder: [['convolution'], ['identity', 'dilated_convolution']],
  reduction: [['max_pooling'], ['average_pooling', 'none']],
  decoder: [
    ['convolution', 'none'],
    ['none', 'average_pooling', 'max_pooling'],
  ],
  expansion: [['interpolation'], ['transposed_convolution', 'none']],
};

/** Cells with any operations, but that the first edge of each node is not left out. */
const anyCells = fc
  .tuple(
    ...allEdges.map(({ cell, source }) => fc.constantFrom(...operationsFrom(cell, source).slice(source === 0 ? 1 : 0))),
  )
  .map((operations) => cellsOf((edge) => operations[allEdges.findIndex((other) => sameEdge(other, edge))]));

const sameEdge = (one: (typeof allEdges)[number], other: (typeof allEdges)[number]): boolean =>
  one.cell === other.cell && one.node === other.node && one.source === other.source;

function withWeights(cells: CellsUNet['cells']) {
  const network = cellsNetwork({ ...layout, cells }, ends);
  return { network, weights: createWeights([...network.parameters, ...network.auxiliaryParameters], 'cpu', 1) };
}

it('takes volumes of any size, and gives logits of their own size and those of a level as large as its label', () => {
  const extent = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(anyCells, fc.tuple(extent, extent, extent), (cells, size) => {
      const { network, weights } = withWeights(cells);
      scope(() => {
        const logits = forward(network, weights, chirp([1, 2, ...size], 1), { deepSupervision: true });
        expect(logits.map(({ shape }) => shape)).toEqual(
          network.supervised.map(({ stride }) => [
            1,
            3,
            ...size.map((extent, axis) => Math.ceil(extent / stride[axis])),
          ]),
        );
        const label = tensor(new Uint8Array(product(size)), [1, ...size]);
        expect(networkLoss(network, logits, label).item()).toBeGreaterThan(0);
      });
    }),
    { numRuns: 30 },
  );
});

describe('weights', () => {
  it('are those of the path, the full resolution first', () => {
    const { network } = withWeights(found);
    const norm = (name: string) => [`${name}.scale`, `${name}.shift`];
    const layer = (name: string) => [`${name}.conv`, ...norm(name)];
    const encoder = (level: number) => [
      ...layer(`encoder.${level}.encoder.node1.from0.convolution`),
      ...layer(`encoder.${level}.encoder.node2.from1.dilated_convolution`),
      ...norm(`encoder.${level}.encoder`),
    ];
    const reduction = (level: number) => [
      ...layer(`encoder.${level}.reduction.node1.from0.max_pooling`),
      ...layer(`encoder.${level}.reduction.node2.from0.average_pooling`),
      ...norm(`encoder.${level}.reduction`),
    ];
    const decoder = (level: number) => [
      ...layer(`decoder.${level}.expansion.node1.from0.interpolation`),
      `decoder.${level}.expansion.node2.from0.transposed_convolution.up`,
      ...norm(`decoder.${level}.expansion.node2.from0.transposed_convolution`),
      ...norm(`decoder.${level}.expansion`),
      ...layer(`decoder.${level}.decoder.node1.from0.convolution`),
      ...norm(`decoder.${level}.decoder`),
    ];
    const expected = [
      ...layer('stem'),
      ...[encoder(0), reduction(1), encoder(1), reduction(2), encoder(2), decoder(0), decoder(1)].flat(),
      ...['head.0', 'head.0.bias'],
    ];
    expect(predictingNames(network)).toEqual(expected);
    expect(trainedNames(network)).toEqual([...expected, 'head.1', 'head.1.bias']);
    const shapeOf = (name: string) => network.parameters.find((parameter) => parameter.name === name)?.shape;
    expect(shapeOf('encoder.0.encoder.node1.from0.convolution.conv')).toEqual([4, 4, 1, 3, 3]);
    expect(shapeOf('encoder.1.reduction.node1.from0.max_pooling.conv')).toEqual([6, 4, 1, 1, 1]);
    expect(shapeOf('decoder.0.expansion.node2.from0.transposed_convolution.up')).toEqual([6, 4, 1, 2, 2]);
  });

  it('of any cells all move in a training step: there are none that nothing depends on', () => {
    fc.assert(
      fc.property(anyCells, (cells) => {
        const { network, weights } = withWeights(cells);
        scope(() => {
          const image = chirp([1, 2, 8, 16, 16], 1);
          const label = tensor(
            Uint8Array.from({ length: 8 * 16 * 16 }, (_, i) => i % 3),
            [1, 8, 16, 16],
          );
          networkLoss(network, forward(network, weights, image, { deepSupervision: true }), label).backward();
          for (const [name, weight] of weights) expect(weight.gradient, name).toBeDefined();
        });
      }),
      { numRuns: 10 },
    );
  });
});

describe('an operation, changed alone, changes what the network computes', () => {
  const image = chirp([1, 2, 8, 16, 16], 1);
  const run = (cells: CellsUNet['cells']) => {
    const { network, weights } = withWeights(cells);
    return noGradient(() => scope(() => forward(network, weights, image)[0].toNumbers()));
  };
  const plain = (): EdgeOperation[] =>
    allEdges.map(({ cell, source }) => {
      const kind = edgeKind(cell, source);
      return kind === 'inner' ? 'average_pooling' : kind === 'reducing' ? 'convolution' : 'interpolation';
    });
  const cellsWith = (operations: readonly EdgeOperation[]) =>
    cellsOf((edge) => operations[allEdges.findIndex((other) => sameEdge(other, edge))]);
  const before = run(cellsWith(plain()));
  const changes = allEdges.flatMap((edge, at) =>
    operationsFrom(edge.cell, edge.source)
      .filter((operation) => operation !== plain()[at])
      // The only edge of a node is not left out.
      .filter((operation) => operation !== 'none' || edge.node > 0)
      .map((operation) => ({ ...edge, at, operation })),
  );
  it.each(changes)('$operation in node $node from $source of the $cell cell', ({ at, operation }) => {
    const after = run(cellsWith(plain().with(at, operation)));
    const difference = after.reduce((largest, value, i) => Math.max(largest, Math.abs(value - before[i])), 0);
    expect(difference).toBeGreaterThan(1e-3);
  });
});

it('ONNX Runtime computes the same, of volumes that its strides divide and of others', async () => {
  const { run, architecture } = reportContent(1);
  const runtime = await loadRuntime();
  const others: CellsUNet['cells'] = {
    ...found,
    reduction: [['convolution'], ['average_pooling', 'max_pooling']],
    encoder: [['average_pooling'], ['dilated_convolution', 'max_pooling']],
  };
  for (const cells of [found, others]) {
    const { network, weights } = withWeights(cells);
    const onnx = encodeOnnx({
      architecture,
      network,
      weights,
      run: { ...run, network: recordDimensions({ ...narrow, ...ends }) },
      cleaned: [],
    });
    for (const shape of [
      [1, 2, 8, 16, 24],
      [2, 2, 7, 13, 17],
    ]) {
      const agreement = await compare(runtime, onnx, { network, weights }, shape);
      expect(agreement.largestLogit).toBeGreaterThan(0.1);
      expect(agreement.largestDifference / agreement.largestLogit).toBeLessThan(1e-4);
      expect(agreement.equalLabels).toBeGreaterThanOrEqual(0.999);
    }
  }
});

it('its heads are those of the finest levels, the coarser ones of half the share', () => {
  const { network } = withWeights(found);
  expect(network.supervised).toEqual([
    { stride: [1, 1, 1], weight: expect.closeTo(2 / 3) },
    { stride: [1, 2, 2], weight: expect.closeTo(1 / 3) },
  ]);
  expect(trainedNames(network).filter(isOfHead)).toHaveLength(4);
});
