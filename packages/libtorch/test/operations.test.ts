import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as torch from '../src/index.ts';
import { scope, type Tensor } from '../src/index.ts';
import { composedNorm } from './instance-norm.ts';
import { wave, waveLeaf } from './wave.ts';

interface Result {
  readonly shape: readonly number[];
  readonly output: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}
interface Reference {
  readonly inputs: readonly (readonly number[])[];
  readonly results: { readonly float32: Result; readonly bfloat16?: Result };
}

/** Values of PyTorch 2.15.0, written by reference/operations.py, which says what they are. */
const references: Record<string, Reference> = JSON.parse(
  readFileSync(new URL('reference/operations.json', import.meta.url), 'utf8'),
);

const integers = (values: readonly number[], shape: readonly number[]) =>
  torch.tensor(BigInt64Array.from(values, BigInt), shape);

type Operation = (...inputs: readonly Tensor[]) => Tensor;
const operations: Record<string, Operation> = {
  conv3d: (x, w, b) => torch.conv3d(x, w, { bias: b, padding: 1 }),
  'conv3d, stride 2': (x, w, b) => torch.conv3d(x, w, { bias: b, stride: [2, 2, 2], padding: 1 }),
  'conv3d, dilation 2': (x, w, b) => torch.conv3d(x, w, { bias: b, padding: 2, dilation: 2 }),
  convTranspose3d: (x, w, b) => torch.convTranspose3d(x, w, { bias: b, stride: 2 }),
  instanceNorm: (x, w, b) => composedNorm(x, w, b),
  groupNorm: (x, w, b) => torch.groupNorm(x, 2, { weight: w, bias: b }),
  maxPool3d: (x) => torch.maxPool3d(x, 2),
  averagePool3d: (x) => torch.averagePool3d(x, 2),
  upsampleTrilinear3d: (x) => torch.upsampleTrilinear3d(x, [8, 12, 8], false),
  upsampleNearest3d: (x) => torch.upsampleNearest3d(x, [8, 12, 8]),
  leakyRelu: (x) => torch.leakyRelu(x),
  elu: (x) => torch.elu(x),
  sigmoid: (x) => torch.sigmoid(x),
  softmax: (x) => torch.softmax(x, 1),
  logSoftmax: (x) => torch.logSoftmax(x, 1),
  concatenate: (a, b) => torch.concatenate([a, b], 1),
  crossEntropyLoss: (x) => torch.crossEntropyLoss(x, integers([0, 1, 2, 0, 2, 2, 1, 0], [2, 4])),
  linear: (x, w, b) => torch.linear(x, w, { bias: b }),
  matrixProduct: (a, b) => torch.matrixProduct(a, b),
  lstmCell: (x, h, c, ...w) => torch.concatenate(torch.lstmCell(x, [h, c], w[0], w[1], { bIh: w[2], bHh: w[3] })),
  embedding: (w) => torch.embedding(w, integers([0, 4, 2, 2], [2, 2])),
  sum: (x) => torch.sum(x, [2, 3, 4]),
  mean: (x) => torch.mean(x, [2, 3, 4], { keepAxis: true }),
  pad: (x) => torch.pad(x, [1, 2, 0, 1, 2, 0], { value: 0.5 }),
  index: (x) => torch.index(x, [null, integers([3, 0, 0], [3])]),
  divide: (a, b) => torch.divide(a, torch.addScalar(torch.multiply(b, b), 1)),
};

/** First value, last value and the wave-weighted sum. */
function digest(tensor: Tensor): number[] {
  const values = torch.to(tensor, { dataType: 'float64' }).toNumbers();
  const weighted = values.reduce((sum, value, i) => sum + value * Math.sin(i * 0.7 + 9), 0);
  return [values[0], values[values.length - 1], weighted];
}

function run(operation: Operation, shapes: readonly (readonly number[])[], dataType: 'float32' | 'bfloat16'): Result {
  return scope(() => {
    const inputs = shapes.map((shape, phase) => waveLeaf(shape, phase, dataType));
    const output = operation(...inputs);
    const weights = wave(output.shape, 9, 'float64');
    torch.sumAll(torch.multiply(torch.to(output, { dataType: 'float64' }), weights)).backward();
    const gradients = inputs.map((input) => (input.gradient ? digest(input.gradient) : []));
    return { shape: output.shape, output: digest(output), gradients };
  });
}

function expectClose(found: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(tolerance * (1 + Math.abs(expected[i])));
  });
}

test('every reference has its operation', () => {
  expect(Object.keys(operations)).toEqual(Object.keys(references));
});

/** libtorch itself sums bfloat16 products in bfloat16 where oneDNN has no units for them: too coarse to be compared. */
const coarse = (name: string, dataType: string): boolean =>
  dataType === 'bfloat16' && /^conv/.test(name) && !torch.oneDnnTakesBfloat16();

// The kernels are PyTorch's own, yet another processor or thread count may sum in another order.
describe.each([['float32', 2e-5] as const, ['bfloat16', 2e-2] as const])('%s equals PyTorch', (dataType, tolerance) => {
  const cases = Object.entries(references).filter(([, reference]) => reference.results[dataType] !== undefined);
  test.for(cases)('%s', ([name, { inputs, results }], { skip }) => {
    skip(coarse(name, dataType), 'libtorch sums bfloat16 in bfloat16 on this processor');
    const expected = results[dataType];
    const found = run(operations[name], inputs, dataType);
    expect(found.shape).toEqual(expected?.shape);
    expectClose(found.output, expected?.output ?? [], tolerance);
    expect(found.gradients).toHaveLength(expected?.gradients.length ?? 0);
    found.gradients.forEach((gradient, i) => {
      expectClose(gradient, expected?.gradients[i] ?? [], tolerance);
    });
  });
});
