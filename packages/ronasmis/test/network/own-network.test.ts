import {
  adam,
  argmaxLabels,
  memory,
  noGradient,
  oneDnnTakesBfloat16,
  peakTensorBytes,
  resetPeakTensorBytes,
  scope,
  tensor,
} from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import { dataTypeOf, type Precision } from '../../src/engine/device.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { compare, loadRuntime } from '../../src/export/check.ts';
import { encodeOnnx } from '../../src/export/model.ts';
import { segment } from '../../src/inference/segment.ts';
import { costOf } from '../../src/network/cost.ts';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { passBytes } from '../../src/network/memory.ts';
import { defineNetwork } from '../../src/network/network.ts';
import type { Kernel, Layer } from '../../src/network/operations.ts';
import { createWeights, freeNetworkWeights, networkWeights } from '../../src/network/weights.ts';
import { recordDimensions } from '../../src/run/run-record.ts';
import { chirpValues, product } from '../chirp.ts';
import { reportContent } from '../report/content.ts';
import { chirpLabel, narrow, predictingNames, trainedNames } from './peer.ts';
import { workBytes } from './work-bytes.ts';

const layer = (name: string, channels: number, size: Kernel['size']): Layer => ({
  kernel: { name, channels, size },
  norm: { scale: `${name}.scale`, shift: `${name}.shift` },
});
const [cube, plane, point] = [[3, 3, 3] as const, [1, 3, 3] as const, [1, 1, 1] as const];

/**
 * Three levels that are no child of any space: layers of one block of different widths, biases of wide kernels, a 3x3x3 head,
 * names of its own. Every operation is in it.
 */
const network = defineNetwork({
  inputChannels: 2,
  classes: 3,
  supervised: [
    { stride: [1, 1, 1], weight: 0.75 },
    { stride: [1, 2, 2], weight: 0.25 },
  ],
  walk: (operations, image, { deepSupervision }) => {
    const fine = operations.scope(() =>
      operations.convolution(
        operations.convolutionBlock(image, [layer('wide', 12, cube), layer('narrow', 8, cube)], {
          dilation: 2,
          activation: 'elu',
        }),
        { name: 'point', channels: 6, size: point },
      ),
    );
    const coarse = operations.scope(() => {
      const below = operations.downsample(fine, [1, 2, 2]);
      const convolved = operations.convolution(below, { name: 'deep', channels: 16, size: plane, bias: 'deep.bias' });
      const normalised = operations.normalise(convolved, { scale: 'deep.scale', shift: 'deep.shift' }, 'relu');
      return operations.add(operations.pool(normalised), normalised);
    });
    const coarsest = operations.scope(() => {
      const kernel = { name: 'strided', channels: 10, size: cube, bias: 'strided.bias' };
      const strided = operations.convolution(coarse, kernel, [2, 1, 2]);
      const normalised = operations.normalise(strided, { scale: 'strided.scale', shift: 'strided.shift' });
      const pooled = operations.pool(operations.downsample(coarse, [2, 1, 2], 'average'), 'average');
      return operations.activate(operations.concatenate([normalised, pooled]), 'elu');
    });
    const joined = operations.scope(() => {
      const back = { name: 'back', channels: 16, size: [2, 1, 2], bias: 'back.bias' } as const;
      return operations.add(operations.transposedConvolution(coarsest, back, coarse), coarse);
    });
    const sum = operations.scope(() =>
      operations.upsampleAndAdd(
        operations.convolution(joined, { name: 'up', channels: 6, size: point }),
        [1, 2, 2],
        fine,
        [fine],
      ),
    );
    const logits = operations.convolution(sum, { name: 'head', channels: 3, size: cube, bias: 'head.bias' });
    const auxiliary = { name: 'auxiliary', channels: 3, size: point, bias: 'auxiliary.bias' };
    return deepSupervision ? [logits, operations.convolution(coarse, auxiliary)] : [logits];
  },
});

const size = [12, 40, 36] as const;
const batch = 2;
const image = Float32Array.from(chirpValues(batch * 2 * product(size), 1));
const label = chirpLabel(batch * product(size), 3, 3);
const precisions: readonly Precision[] = oneDnnTakesBfloat16() ? ['fp32', 'bf16'] : ['fp32'];
const fresh = () => createWeights([...network.parameters, ...network.auxiliaryParameters], 'cpu', 1);

/** Forward and backward of one batch; the gradients stand in the weights afterwards. */
function backward(weights: ReturnType<typeof fresh>, precision: Precision): number {
  return scope(() => {
    const loss = scope(() => {
      const own = networkWeights(network, weights, dataTypeOf[precision], { deepSupervision: true });
      const input = toImage(image, [batch, 2, ...size], 'cpu', dataTypeOf[precision]);
      const logits = forward(network, own, input, { deepSupervision: true });
      return networkLoss(network, logits, tensor(label, [batch, ...size]));
    });
    loss.backward();
    return loss.item();
  });
}

test('its weights are those that it names, in the order of its way', () => {
  const norm = (name: string) => [`${name}.scale`, `${name}.shift`];
  const expected = [
    ...['wide', 'narrow'].flatMap((name) => [name, ...norm(name)]),
    ...['point', 'deep', 'deep.bias', ...norm('deep'), 'strided', 'strided.bias', ...norm('strided')],
    ...['back', 'back.bias', 'up', 'head', 'head.bias'],
  ];
  expect(predictingNames(network)).toEqual(expected);
  expect(trainedNames(network)).toEqual([...expected, 'auxiliary', 'auxiliary.bias']);
  expect(network.parameters.find(({ name }) => name === 'narrow')?.shape).toEqual([8, 12, 3, 3, 3]);
  expect(network.parameters.find(({ name }) => name === 'back')?.shape).toEqual([26, 16, 2, 1, 2]);
});

test.each(precisions)('it trains in %s: the loss falls, every weight moves, and no tensor is left', (precision) => {
  const weights = fresh();
  const optimiser = adam([...weights.values()], { learningRate: 0.005 });
  const step = (): number => {
    const loss = backward(weights, precision);
    optimiser.step();
    optimiser.clearGradients();
    return loss;
  };
  const before = [...weights].map(([name, weight]) => [name, String(weight.toNumbers())] as const);
  const losses = [step(), step()];
  const tensors = memory().tensors;
  losses.push(step(), step(), step(), step());
  expect(memory().tensors).toBe(tensors);
  expect(losses[5]).toBeLessThan(0.9 * losses[0]);
  for (const [name, values] of before) expect(String(weights.get(name)?.toNumbers()), name).not.toBe(values);
});

describe.skipIf(process.platform !== 'linux')("passBytes is within a tenth of libtorch's allocator", () => {
  const measure = (body: () => void): number => {
    resetPeakTensorBytes('cpu');
    const before = peakTensorBytes('cpu');
    body();
    return peakTensorBytes('cpu') - before;
  };

  test.each(precisions)('in training, %s', (precision) => {
    const weights = fresh();
    const measured = measure(() => backward(weights, precision));
    const pass = { batch, size, dataType: dataTypeOf[precision], device: 'cpu', training: true } as const;
    expect(Math.abs(passBytes(network, pass) - measured)).toBeLessThan(0.1 * measured + workBytes[precision]);
  });

  test.each(precisions)('at prediction, %s', (precision) => {
    const weights = fresh();
    const dataType = dataTypeOf[precision];
    const measured = measure(() =>
      noGradient(() =>
        scope(() => {
          const own = networkWeights(network, weights, dataType);
          segment(network, own, toImage(image, [batch, 2, ...size], 'cpu', dataType));
        }),
      ),
    );
    const pass = { batch, size, dataType, device: 'cpu', training: false } as const;
    expect(Math.abs(passBytes(network, pass) / measured - 1)).toBeLessThan(0.1);
  });
});

test('its cost is counted: multiply-adds of all but the head, and what norms, the poolings and others keep', () => {
  const { multiplyAdds, activations } = costOf(network);
  const fine = 27 * 2 * 12 + 27 * 12 * 8 + 8 * 6;
  const coarse = 9 * 6 * 16 + 16 * 6;
  // The transposed kernel has four taps, each of which meets every voxel once.
  const coarsest = 27 * 16 * 10 + 4 * 26 * 16;
  expect(multiplyAdds).toBe(fine + coarse / 4 + coarsest / 16);
  // Two norms; a norm, and a pooling whose indices are of twice the size; a norm, a concatenation and an activation.
  expect(activations).toBe(12 + 8 + (16 + 2 * 16) / 4 + (10 + 26 + 26) / 16);
});

test('it segments, and ONNX Runtime computes the same of it', async () => {
  const weights = fresh();
  const optimiser = adam([...weights.values()], { learningRate: 0.02 });
  for (let step = 0; step < 4; step += 1) {
    backward(weights, 'fp32');
    optimiser.step();
    optimiser.clearGradients();
  }
  noGradient(() =>
    scope(() => {
      const own = networkWeights(network, weights, 'float32');
      const input = toImage(image, [batch, 2, ...size], 'cpu', 'float32');
      const [logits] = forward(network, own, input);
      expect(segment(network, own, input).toNumbers()).toEqual(argmaxLabels(logits).toNumbers());
      freeNetworkWeights(own, weights);
    }),
  );
  const { run, architecture } = reportContent(1);
  const record = { ...run, network: recordDimensions(narrow) };
  const onnx = encodeOnnx({ architecture, network, weights, run: record, cleaned: [] });
  const runtime = await loadRuntime();
  for (const shape of [
    [2, 2, 12, 40, 36],
    [1, 2, 9, 23, 17],
  ]) {
    const agreement = await compare(runtime, onnx, { network, weights }, shape);
    expect(agreement.largestLogit).toBeGreaterThan(0.1);
    expect(agreement.largestDifference / agreement.largestLogit).toBeLessThan(1e-4);
    expect(agreement.equalLabels).toBeGreaterThanOrEqual(0.999);
  }
});

test('a weight that is named as an input or output of the ONNX model is refused', () => {
  const { run, architecture } = reportContent(1);
  const named = defineNetwork({
    ...network,
    walk: (operations, image) => [operations.convolution(image, { name: 'logits', channels: 3, size: cube })],
  });
  const weights = createWeights(named.parameters, 'cpu', 1);
  expect(() => encodeOnnx({ architecture, network: named, weights, run, cleaned: [] })).toThrow(
    /'logits' is a weight and a value .* rename/,
  );
});
