import { add, meanAll, multiply, noGradient, scope, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costOf } from '../../src/network/cost.ts';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { elementCount } from '../../src/network/parameters.ts';
import { chirp, expectDigest, product } from '../chirp.ts';
import { references, withWeights } from './unet-reference.ts';

describe.each(Object.entries(references))('%s', (_name, expected) => {
  const { network, weights } = withWeights(expected.architecture);
  const image = chirp(expected.size, 1);

  test("logits, loss and gradients are those of nnU-Net's own network in PyTorch", () => {
    scope(() => {
      const logits = forward(network, weights, image, { deepSupervision: true });
      expect(logits).toHaveLength(expected.logits.length);
      logits.forEach((level, i) => {
        expectDigest(level, expected.logits[i], 1e-4);
      });
      const loss = logits
        .map((level, i) => meanAll(multiply(level, chirp(level.shape, 3 + i))))
        .reduce((sum, level) => add(sum, level));
      expect(loss.item()).toBeCloseTo(expected.loss, 5);
      loss.backward();
      for (const [name, gradient] of Object.entries(expected.gradients)) {
        const found = weights.get(name)?.gradient;
        if (!found) throw new Error(`${name} has no gradient.`);
        expectDigest(found, gradient, 1e-3);
      }
    });
  });

  test('without deep supervision it gives the finest logits alone', () => {
    const found = noGradient(() => forward(network, weights, image));
    expect(found).toHaveLength(1);
    expectDigest(found[0], expected.logits[0], 1e-4);
  });

  test('it has as many weights as the other, but for biases before norms and the lowest head', () => {
    expect(elementCount([...network.parameters, ...network.auxiliaryParameters])).toBe(expected.parameters);
  });

  test("multiply-adds are those that PyTorch's FlopCounterMode counts, without the heads", () => {
    expect(costOf(network).multiplyAdds).toBeCloseTo(expected.multiply_adds, 6);
  });
});

describe('volumes of any size', () => {
  const extent = fc.integer({ min: 1, max: 20 });

  test('give logits of their own size, those of a stage as large as its label', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(references)),
        fc.tuple(extent, extent, extent),
        ({ architecture }, size) => {
          const { network, weights } = withWeights(architecture);
          scope(() => {
            const logits = forward(network, weights, chirp([1, 2, ...size], 1), { deepSupervision: true });
            const expected = network.supervised.map(({ stride }) =>
              size.map((extent, axis) => Math.ceil(extent / stride[axis])),
            );
            expect(logits.map(({ shape }) => shape.slice(2))).toEqual(expected);
            const label = tensor(new Uint8Array(product(size)), [1, ...size]);
            expect(networkLoss(network, logits, label).item()).toBeGreaterThan(0);
          });
        },
      ),
      { numRuns: 30 },
    );
  });
});

test('the stages above the lowest share the loss by halves, each compared with the middle of its cells', () => {
  const weightsOf = (name: string) => withWeights(references[name].architecture).network.supervised;
  expect(weightsOf('of convolutions')).toEqual([
    { stride: [1, 1, 1], offset: [0, 0, 0], weight: expect.closeTo(2 / 3) },
    { stride: [2, 2, 2], offset: [1, 1, 1], weight: expect.closeTo(1 / 3) },
  ]);
  expect(weightsOf('of two stages')).toEqual([{ stride: [1, 1, 1], offset: [0, 0, 0], weight: 1 }]);
});

test('a residual block starts as its shortcut: the norm before the sum has a scale of 0', () => {
  const { network } = withWeights(references['of residual blocks'].architecture);
  const zeros = network.parameters.filter(({ startsAtZero }) => startsAtZero).map(({ name }) => name);
  expect(zeros.every((name) => /block\d\.scale2$/.test(name))).toBe(true);
  expect(zeros).toHaveLength(5 + 3);
});
