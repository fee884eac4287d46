import { describe, expect, test } from 'vitest';
import * as torch from '../src/index.ts';
import { noGradient, scope, type Tensor } from '../src/index.ts';
import { composedNorm } from './instance-norm.ts';
import { wave, waveLeaf } from './wave.ts';

type Operation = (...inputs: readonly Tensor[]) => Tensor;

/** The loss of the check: the output weighted so that every element counts differently. */
function loss(operation: Operation, inputs: readonly Tensor[]): Tensor {
  const output = operation(...inputs);
  return torch.sumAll(torch.multiply(output, wave(output.shape, 9, 'float64')));
}

/** Central differences of the loss by one element of an input: the gradient that does not come from autograd. */
function difference(operation: Operation, inputs: readonly Tensor[], input: Tensor, element: number): number {
  const step = 1e-6;
  return noGradient(() =>
    scope(() => {
      const values = torch.view(input, [-1]);
      const place = torch.narrow(values, 0, element, 1);
      const at = (change: number): number => {
        torch.addInPlace(place, torch.full([1], change, { dataType: 'float64' }));
        return loss(operation, inputs).item();
      };
      const [above, below] = [at(step), at(-2 * step)];
      at(step);
      return (above - below) / (2 * step);
    }),
  );
}

// The tensors are tiny: sharing them among threads would only cost time.
torch.setThreads(1);

const target = torch.tensor(BigInt64Array.of(0n, 1n, 2n, 0n, 2n, 2n), [2, 3]);
const volume = [1, 2, 3, 3, 2];
const cases: Record<string, [readonly (readonly number[])[], Operation]> = {
  conv3d: [[volume, [2, 2, 3, 3, 3], [2]], (x, w, b) => torch.conv3d(x, w, { bias: b, padding: 1 })],
  'conv3d, dilation 2': [
    [volume, [2, 2, 3, 3, 3], [2]],
    (x, w, b) => torch.conv3d(x, w, { bias: b, padding: 2, dilation: 2 }),
  ],
  'conv3d, stride 2': [
    [volume, [2, 2, 3, 3, 3], [2]],
    (x, w, b) => torch.conv3d(x, w, { bias: b, stride: 2, padding: 1 }),
  ],
  convTranspose3d: [[volume, [2, 2, 2, 2, 2], [2]], (x, w, b) => torch.convTranspose3d(x, w, { bias: b, stride: 2 })],
  instanceNorm: [[volume, [2], [2]], (x, w, b) => composedNorm(x, w, b)],
  maxPool3d: [[[1, 2, 4, 4, 2]], (x) => torch.maxPool3d(x, 2)],
  upsampleTrilinear3d: [[[1, 2, 2, 3, 2]], (x) => torch.upsampleTrilinear3d(x, [4, 6, 4], false)],
  upsampleNearest3d: [[[1, 2, 2, 3, 2]], (x) => torch.upsampleNearest3d(x, [4, 6, 4])],
  leakyRelu: [[volume], (x) => torch.leakyRelu(x)],
  elu: [[volume], (x) => torch.elu(x)],
  softmax: [[volume], (x) => torch.softmax(x, 1)],
  logSoftmax: [[volume], (x) => torch.logSoftmax(x, 1)],
  crossEntropyLoss: [[[2, 3, 3]], (x) => torch.crossEntropyLoss(x, target)],
  lstmCell: [
    [[2, 2], [2, 3], [2, 3], [12, 2], [12, 3], [12], [12]],
    (x, h, c, ...w) => torch.concatenate(torch.lstmCell(x, [h, c], w[0], w[1], { bIh: w[2], bHh: w[3] })),
  ],
  'mean and division': [
    [volume, [2, 1, 1, 1]],
    (x, y) => torch.divide(torch.mean(x, [2, 3]), torch.addScalar(torch.square(y), 1)),
  ],
};

describe('gradients equal central differences, float64', () => {
  test.each(Object.entries(cases))('%s', (_, [shapes, operation]) => {
    scope(() => {
      const inputs = shapes.map((shape, phase) => waveLeaf(shape, phase + 0.5, 'float64'));
      loss(operation, inputs).backward();
      for (const input of inputs) {
        const gradient = input.gradient?.toNumbers() ?? [];
        expect(gradient).toHaveLength(input.byteLength / 8);
        gradient.forEach((value, element) => {
          expect(Math.abs(value - difference(operation, inputs, input, element))).toBeLessThan(
            1e-6 * (1 + Math.abs(value)),
          );
        });
      }
    });
  });
});
