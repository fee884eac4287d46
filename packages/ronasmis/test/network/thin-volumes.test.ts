import { noGradient, oneDnnTakesBfloat16, scope, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ChildArchitecture, strideBetween } from '../../src/architecture/architecture.ts';
import { dataTypeOf, type Precision } from '../../src/engine/device.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { segment } from '../../src/inference/segment.ts';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { networkWeights } from '../../src/network/weights.ts';
import { createSearchState } from '../../src/search/state.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { chirp, chirpValues, product } from '../chirp.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { walks } from '../space/walk.ts';
import { trainOnce } from '../training/train-once.ts';
import { chirpLabel, supervisedLevels } from './peer.ts';

const { dimensions } = tinyContext;
const precisions: readonly Precision[] = oneDnnTakesBfloat16() ? ['fp32', 'bf16'] : ['fp32'];

/** A volume of few slices, and a child of the space that is made for it. */
const thinChild = fc
  .record({
    depth: fc.integer({ min: 5, max: 24 }),
    height: fc.integer({ min: 16, max: 40 }),
    width: fc.integer({ min: 16, max: 40 }),
  })
  .chain(({ depth, height, width }) => {
    const volume = [depth, height, width] as const;
    const space = macroSpace(volume, dimensions);
    return walks(space).map((choices) => ({ volume, space, child: space.decode(choices) }));
  });

function batchOf({ patch }: ChildArchitecture) {
  const size = [patch.depth, patch.height, patch.width] as const;
  return {
    image: Float32Array.from(chirpValues(product(size), 1)),
    label: chirpLabel(product(size), 3, 3),
    plan: { patch: size, crops: [{ case: 0, offset: [0, 0, 0] as const, flip: [] }] },
  };
}

describe('of volumes of 5 to 24 slices', () => {
  test('a child trains on its patch and segments the whole volume in one shot', () => {
    fc.assert(
      fc.property(thinChild, fc.constantFrom(...precisions), ({ volume, space, child }, precision) => {
        const context = { ...tinyContext, space, precision };
        const state = createSearchState(context, 'random', 1);
        const losses = [1, 2].map(() => trainOnce(context, state, child, batchOf(child)));
        for (const loss of losses) expect(loss).toBeGreaterThan(0);
        scope(() => {
          const network = networkOf(child, dimensions);
          const weights = networkWeights(network, state.trainer.weights, dataTypeOf[precision]);
          const values = Float32Array.from(chirpValues(product(volume), 2));
          const image = toImage(values, [1, 1, ...volume], 'cpu', dataTypeOf[precision]);
          expect(segment(network, weights, image).shape).toEqual([1, ...volume]);
        });
      }),
      { numRuns: 40 },
    );
  });

  test('the logits of every supervised level are as large as its downsampled label', () => {
    const { weights } = createSearchState(tinyContext, 'random', 1).trainer;
    fc.assert(
      fc.property(thinChild, ({ volume, child }) => {
        noGradient(() =>
          scope(() => {
            const network = networkOf(child, dimensions);
            const logits = forward(network, weights, chirp([1, 1, ...volume], 2), { deepSupervision: true });
            supervisedLevels.forEach((level, i) => {
              const strides = strideBetween(child, 0, level);
              expect(logits[i].shape).toEqual([1, 3, ...volume.map((size, axis) => Math.ceil(size / strides[axis]))]);
            });
            const label = tensor(chirpLabel(product(volume), 3, 3), [1, ...volume]);
            expect(networkLoss(network, logits, label).item()).toBeGreaterThan(0);
          }),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('five slices of 256 x 256 train and are segmented, by the base and by the largest child', () => {
    const volume = [5, 256, 256] as const;
    const space = macroSpace(volume, dimensions);
    const context = { ...tinyContext, space };
    for (const child of [space.base, space.largest]) {
      expect(child.patch).toEqual({ depth: 4, height: 256, width: 256 });
      const state = createSearchState(context, 'random', 1);
      const losses = [1, 2, 3].map(() => trainOnce(context, state, child, batchOf(child)));
      expect(losses[2]).toBeLessThan(losses[0]);
      const image = chirp([1, 1, ...volume], 2);
      scope(() =>
        expect(segment(networkOf(child, dimensions), state.trainer.weights, image).shape).toEqual([1, ...volume]),
      );
    }
  });
});
