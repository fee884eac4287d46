import { memory, noGradient, scope, to } from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { createWeights, freeNetworkWeights, networkWeights, type Weights, weight } from '../../src/network/weights.ts';
import { product } from '../chirp.ts';
import { chirpWeights, narrow, predictingNames, reference, spaceWeights, trainedNames } from './peer.ts';

describe('createWeights', () => {
  const weights = spaceWeights('macro', networkDimensions(1, 3), 7);
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

  test('a transposed kernel is drawn as PyTorch draws it, by the channels that it makes; a scale that starts at 0 does', () => {
    const weights = createWeights(
      [
        { name: 'up', kind: 'kernel', shape: [64, 8, 2, 2, 2] },
        { name: 'last', kind: 'scale', shape: [5], startsAtZero: true },
      ],
      'cpu',
      1,
    );
    const values = weight(weights, 'up').toNumbers();
    const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
    expect(Math.abs(variance / (2 / (8 * 8)) - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
    expect(weight(weights, 'last').toNumbers()).toEqual([0, 0, 0, 0, 0]);
  });

  test('the seed decides them', () => {
    const values = (weights: Weights): number[] => [...weights.values()].flatMap((tensor) => tensor.toNumbers());
    expect(values(spaceWeights('macro', narrow, 5))).toEqual(values(spaceWeights('macro', narrow, 5)));
    const [first, second] = [5, 6].map((seed) => weight(spaceWeights('macro', narrow, seed), 'head.0').toNumbers());
    expect(first.every((value, i) => value !== second[i])).toBe(true);
  });

  test('they outlive no scope that they were made in, and are trained', () => {
    const before = memory().tensors;
    const names = scope(() => [...spaceWeights('macro', narrow, 5)].filter(([, tensor]) => tensor.requiresGradient));
    expect(names).toHaveLength(116);
    for (const [, tensor] of names) tensor.free();
    expect(memory().tensors).toBe(before);
  });
});

describe('networkWeights', () => {
  const network = networkOf(reference.children['the base'].child, narrow);
  const weights = spaceWeights('macro', narrow, 1);

  test('are those that prediction needs, with deep supervision also its heads', () => {
    const [predicting, training] = [false, true].map((deepSupervision) => [
      ...networkWeights(network, weights, 'float32', { deepSupervision }).keys(),
    ]);
    expect(predicting).toEqual(predictingNames(network));
    expect(training).toEqual(trainedNames(network));
    expect([...networkWeights(network, weights, 'float32').keys()]).toEqual(predicting);
    expect(training.filter((name) => !predicting.includes(name))).toEqual([
      ...['head.1', 'head.1.bias', 'head.2', 'head.2.bias'],
    ]);
  });

  test('are cast with their gradients, and handed on as they are in float32', () => {
    for (const [name, own] of networkWeights(network, weights, 'float32')) expect(own).toBe(weight(weights, name));
    const cast = networkWeights(network, weights, 'bfloat16');
    expect([...cast.keys()]).toEqual(predictingNames(network));
    for (const [name, own] of cast) {
      expect(own.dataType).toBe('bfloat16');
      expect(own.requiresGradient).toBe(true);
      const [exact, rounded] = [weight(weights, name), to(own, { dataType: 'float32' })].map((t) => t.toNumbers());
      rounded.forEach((value, i) => {
        expect(Math.abs(value - exact[i])).toBeLessThanOrEqual(2 ** -8 * Math.abs(exact[i]));
      });
    }
    freeNetworkWeights(cast, weights);
  });

  test('of a network that has its own, without matrices, are these: what a search has left is mixed', () => {
    const { child } = reference.children['dilated, with every activation'];
    const dilated = networkOf(child, narrow);
    const shared = chirpWeights(narrow);
    const kernel = dilated.parameters.find(({ taps }) => taps !== undefined)?.name ?? '';
    noGradient(() =>
      scope(() => {
        const mixed = networkWeights(dilated, shared, 'float32');
        expect(weight(mixed, kernel).toNumbers()).not.toEqual(weight(shared, kernel).toNumbers());
        expect(weight(networkWeights(dilated, mixed, 'float32'), kernel)).toBe(weight(mixed, kernel));
      }),
    );
  });

  test('of a network that the weights are not made for are refused by name', () => {
    expect(() => networkWeights(network, new Map(), 'float32')).toThrow(/no weight 'encoder.0.conv1'/);
  });
});
