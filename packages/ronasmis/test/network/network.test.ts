import { scope, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { defineNetwork } from '../../src/network/network.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import type { Weights } from '../../src/network/weights.ts';
import { chirp } from '../chirp.ts';
import { randomChildren } from '../space/walk.ts';
import { chirpLabel, predictingNames, spaceWeights, trainedNames } from './peer.ts';

describe('the weights of a child', () => {
  const dimensions = { inputChannels: 1, classes: 2, channels: [2, 3, 4, 3, 2], flatLevels: 0 };
  const weights = spaceWeights('macro', dimensions, 1);
  const sharedBy = { macro: weights, micro: spaceWeights('micro', dimensions, 1) };
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
          const network = networkOf(child, dimensions);
          const trained = withGradient(weights, () => {
            networkLoss(network, forward(network, weights, image, { deepSupervision: true }), label).backward();
          });
          expect(trained.sort()).toEqual([...trainedNames(network)].sort());
          const predicting = withGradient(weights, () => {
            const [logits] = forward(network, weights, image, { deepSupervision: false });
            networkLoss(network, [logits], label).backward();
          });
          expect(predicting.sort()).toEqual([...predictingNames(network)].sort());
        }),
        { numRuns: 8 },
      );
    },
  );
});

test('a network is walked through for its weights when they are asked for, and then no more', () => {
  let walks = 0;
  const network = defineNetwork({
    inputChannels: 1,
    classes: 2,
    supervised: [{ stride: [1, 1, 1], weight: 1 }],
    walk: (operations, image) => {
      walks += 1;
      return [operations.convolution(image, { name: 'only', channels: 2, size: [1, 1, 1], bias: 'bias' })];
    },
  });
  expect(walks).toBe(0);
  expect(predictingNames(network)).toEqual(['only', 'bias']);
  const asked = walks;
  expect(trainedNames(network)).toEqual(['only', 'bias']);
  expect(network.parameters).toBe(network.parameters);
  expect(walks).toBe(asked);
});
