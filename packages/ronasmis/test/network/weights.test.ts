import { memory, scope, tensor, to } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { forward } from '../../src/network/child.ts';
import { childLoss } from '../../src/network/loss.ts';
import {
  castWeights,
  childWeightNames,
  createWeights,
  parameterCount,
  supervisionWeightNames,
  type Weights,
  weight,
} from '../../src/network/weights.ts';
import { chirp, product } from '../chirp.ts';
import { randomChildren } from '../space/walk.ts';
import { chirpLabel, narrow, reference } from './peer.ts';

test('five levels, whose width doubles up to 128', () => {
  expect(networkDimensions(4, 3)).toEqual({
    inputChannels: 4,
    classes: 3,
    channels: [16, 32, 64, 128, 128],
    flatLevels: 0,
  });
});

describe('createWeights', () => {
  const weights = createWeights('macro', networkDimensions(1, 3), 'cpu', 7);
  const shapeOf = (name: string): readonly number[] => weight(weights, name).shape;

  test('has two convolutions a block, all skips of every decoder level and three heads', () => {
    expect([...weights.keys()].filter((name) => name.startsWith('encoder.3'))).toEqual(
      [
        ...['conv1', 'scale1', 'shift1', 'conv2', 'scale2', 'shift2'],
        ...['taps1.dilation2', 'taps1.dilation3', 'taps2.dilation2', 'taps2.dilation3'],
      ].map((part) => `encoder.3.${part}`),
    );
    // Five blocks down and four up, of 6 each; a way up and four skips a decoder level; three heads with their biases; for both convolutions
    // of every block, the matrices of two dilations.
    expect(weights.size).toBe(9 * 6 + 4 * 5 + 3 * 2 + 9 * 2 * 2);
    expect(shapeOf('encoder.0.conv1')).toEqual([16, 1, 3, 3, 3]);
    expect(shapeOf('encoder.2.conv1')).toEqual([64, 32, 3, 3, 3]);
    expect(shapeOf('encoder.2.conv2')).toEqual([64, 64, 3, 3, 3]);
    expect(shapeOf('decoder.1.below')).toEqual([32, 64, 1, 1, 1]);
    expect(shapeOf('decoder.1.skip3')).toEqual([32, 128, 1, 1, 1]);
    expect(shapeOf('decoder.1.conv1')).toEqual([32, 32, 3, 3, 3]);
    expect(shapeOf('decoder.3.scale2')).toEqual([128]);
    expect(shapeOf('head.2')).toEqual([3, 64, 1, 1, 1]);
    expect(shapeOf('head.2.bias')).toEqual([3]);
    expect(shapeOf('decoder.3.taps2.dilation3')).toEqual([27, 27]);
    expect(() => weight(weights, 'decoder.4.below')).toThrow(/no weight 'decoder.4.below'/);
  });

  test('kernels have mean 0 and variance 2 / fan-in (He et al. 2015), scales are 1, shifts 0, matrices of taps the identity', () => {
    for (const [name, tensor] of weights) {
      const values = tensor.toNumbers();
      if (name.includes('scale')) expect(values.every((value) => value === 1)).toBe(true);
      if (name.includes('shift') || name.includes('bias')) expect(values.every((value) => value === 0)).toBe(true);
      if (name.includes('taps')) expect(values).toEqual(Array.from(values, (_, i) => (i % 28 === 0 ? 1 : 0)));
      if (tensor.shape.length < 5) continue;
      const deviation = Math.sqrt(2 / product(tensor.shape.slice(1)));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
      // Five standard errors of each.
      expect(Math.abs(mean)).toBeLessThan((5 * deviation) / Math.sqrt(values.length));
      expect(Math.abs(variance / deviation ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
    }
  });

  test('the seed decides them', () => {
    const values = (weights: Weights): number[] => [...weights.values()].flatMap((tensor) => tensor.toNumbers());
    expect(values(createWeights('macro', narrow, 'cpu', 5))).toEqual(values(createWeights('macro', narrow, 'cpu', 5)));
    const [first, second] = [5, 6].map((seed) =>
      weight(createWeights('macro', narrow, 'cpu', seed), 'head.0').toNumbers(),
    );
    expect(first.every((value, i) => value !== second[i])).toBe(true);
  });

  test('they outlive no scope that they were made in, and are trained', () => {
    const before = memory().tensors;
    const names = scope(() =>
      [...createWeights('macro', narrow, 'cpu', 5)].filter(([, tensor]) => tensor.requiresGradient),
    );
    expect(names).toHaveLength(116);
    for (const [, tensor] of names) tensor.free();
    expect(memory().tensors).toBe(before);
  });
});

describe('the weights of a child', () => {
  const dimensions = { inputChannels: 1, classes: 2, channels: [2, 3, 4, 3, 2], flatLevels: 0 };
  const weights = createWeights('macro', dimensions, 'cpu', 1);
  const sharedBy = { macro: weights, micro: createWeights('micro', dimensions, 'cpu', 1) };
  const image = chirp([1, 1, 9, 17, 16], 0);
  const label = tensor(chirpLabel(9 * 17 * 16, 2, 3), [1, 9, 17, 16]);

  function withGradient(weights: Weights, run: () => void): string[] {
    for (const tensor of weights.values()) tensor.clearGradient();
    scope(run);
    return [...weights].filter(([, tensor]) => scope(() => tensor.gradient !== undefined)).map(([name]) => name);
  }

  test.each(['macro', 'micro'] as const)(
    'are exactly those that a training step of a %s child reaches; prediction leaves out the heads of deep supervision',
    (space) => {
      const weights = sharedBy[space];
      fc.assert(
        fc.property(randomChildren(space, [40, 40, 40], dimensions), (child) => {
          const trained = withGradient(weights, () => {
            childLoss(child, forward(weights, child, image, { deepSupervision: true }), label).backward();
          });
          expect(trained.sort()).toEqual([...childWeightNames(child), ...supervisionWeightNames].sort());
          const predicting = withGradient(weights, () => {
            const [logits] = forward(weights, child, image, { deepSupervision: false });
            childLoss(child, [logits], label).backward();
          });
          expect(predicting.sort()).toEqual([...childWeightNames(child)].sort());
        }),
        { numRuns: 8 },
      );
    },
  );

  test('are counted', () => {
    const { child } = reference.children['the base'];
    const one = createWeights(
      'macro',
      { inputChannels: 1, classes: 2, channels: [1, 1, 1, 1, 1], flatLevels: 0 },
      'cpu',
      1,
    );
    // A block: 2 (27 + scale + shift); a decoder level: its block, the way up and one skip; the head: 2 and its bias.
    expect(parameterCount(one, child)).toBe(9 * 2 * 29 + 4 * 2 + 4);
    const all = { ...child, decoder: child.decoder.map((level) => ({ ...level, skips: [0, 1, 2, 3] })) };
    expect(parameterCount(one, all)).toBe(9 * 2 * 29 + 4 * 5 + 4);
  });

  test('are cast with their gradients, and handed on as they are in float32', () => {
    expect(castWeights(weights, ['head.0'], 'float32')).toBe(weights);
    const cast = castWeights(weights, ['head.0', 'head.0.bias'], 'bfloat16');
    expect([...cast.keys()]).toEqual(['head.0', 'head.0.bias']);
    expect(weight(cast, 'head.0').dataType).toBe('bfloat16');
    const [exact, rounded] = [weight(weights, 'head.0'), to(weight(cast, 'head.0'), 'float32')].map((t) =>
      t.toNumbers(),
    );
    rounded.forEach((value, i) => {
      expect(Math.abs(value - exact[i])).toBeLessThanOrEqual(2 ** -8 * Math.abs(exact[i]));
    });
    expect(weight(cast, 'head.0').requiresGradient).toBe(true);
  });
});
