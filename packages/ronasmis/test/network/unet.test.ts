import { add, meanAll, multiply, noGradient, scope } from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import { costOf } from '../../src/network/cost.ts';
import { forward } from '../../src/network/forward.ts';
import { elementCount } from '../../src/network/parameters.ts';
import { chirp, expectDigest } from '../chirp.ts';
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
