import { limitTensorBytes } from '@ronasmis/libtorch';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { createRandom } from '../../src/base/random.ts';
import type { BatchPlan } from '../../src/batches/fill-batch.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { alone } from '../../src/ranks/team.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { createSearchState } from '../../src/search/state.ts';
import { learningRateAt, type Pace, type PlannedStep, train } from '../../src/training/train.ts';
import { chirpValues } from '../chirp.ts';
import { chirpLabel } from '../network/peer.ts';
import { tinyContext } from '../search/tiny-context.ts';

/** Patches of 32 voxels a side: what is made of them is large enough to be counted by the allocator. */
const patch = [32, 32, 32] as const;
const voxels = 32 ** 3;
const plan: BatchPlan = { patch, crops: [{ case: 0, offset: [0, 0, 0], flip: [] }] };
const batch = { image: Float32Array.from(chirpValues(voxels, 1)), label: chirpLabel(voxels, 3, 3), plan };

/** Steps of so many mini-batches of one patch, and how often one was asked for, taken and given back. */
function counted(miniBatches = 1) {
  const counts = { requested: 0, taken: 0, released: 0 };
  const network = networkOf(tinyContext.space.base, tinyContext.dimensions);
  const steps = (function* (): Generator<PlannedStep, never> {
    for (;;) yield { network, plans: Array.from({ length: miniBatches }, () => plan) };
  })();
  const batches = {
    request: () => {
      counts.requested += 1;
    },
    next: async () => {
      counts.taken += 1;
      const release = (): void => {
        counts.released += 1;
      };
      return { ...batch, release };
    },
    close: async () => {},
  };
  return { counts, feed: { steps, batches, random: createRandom(1), team: alone } };
}

const paceOf = (steps: number, more: Partial<Pace> = {}): Pace => ({
  planned: steps,
  isEnough: (done) => done >= steps,
  fraction: (done) => done / steps,
  after: async () => {},
  ...more,
});

const kernelOf = ({ trainer }: Pick<ReturnType<typeof createSearchState>, 'trainer'>): readonly number[] =>
  trainer.weights.get('encoder.0.conv1')?.toNumbers() ?? [];

describe('training on mini-batches', () => {
  it('goes on until it is enough, each requested while the one before is trained on, and none beyond', async () => {
    const { trainer } = createSearchState(tinyContext, 'random', 1);
    const { counts, feed } = counted();
    const seen: [number, number][] = [];
    const after = async (done: number) => void seen.push([done, counts.requested]);
    const { loss, leftOut } = await train(trainer, feed, paceOf(3, { after }));
    expect(seen).toEqual([
      [1, 2],
      [2, 3],
      [3, 3],
    ]);
    expect(counts).toEqual({ requested: 3, taken: 3, released: 3 });
    expect(loss).toBeGreaterThan(0);
    expect([leftOut, trainer.steps]).toEqual([0, 3]);
  });

  it('takes the mini-batches of a step one after the other, each requested one ahead', async () => {
    const { trainer } = createSearchState(tinyContext, 'random', 1);
    const { counts, feed } = counted(3);
    const seen: [number, number][] = [];
    const after = async (done: number) => void seen.push([done, counts.requested]);
    await train(trainer, feed, paceOf(2, { after }));
    expect(seen).toEqual([
      [1, 4],
      [2, 6],
    ]);
    expect([counts, trainer.steps]).toEqual([{ requested: 6, taken: 6, released: 6 }, 2]);
  });

  it('takes and gives back what was requested and is not trained on any more', async () => {
    const { trainer } = createSearchState(tinyContext, 'random', 1);
    const { counts, feed } = counted();
    await train(trainer, feed, paceOf(2, { planned: 3 }));
    expect(counts).toEqual({ requested: 3, taken: 3, released: 3 });
    expect(trainer.steps).toBe(2);
  });

  it('asks how far the training is at each step', async () => {
    const { trainer } = createSearchState(tinyContext, 'random', 1);
    const seen: number[] = [];
    const fraction = (done: number): number => {
      seen.push(done);
      return done / 5;
    };
    await train(trainer, counted().feed, paceOf(5, { fraction }));
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it('falls to a learning rate of 0 by the polynomial of nnU-Net', () => {
    expect(learningRateAt(defaultRecipe.training, 0)).toBe(2e-3);
    expect(learningRateAt(defaultRecipe.training, 0.5)).toBeCloseTo(2e-3 * 0.5 ** 0.9, 12);
    expect(learningRateAt(defaultRecipe.training, 1)).toBe(0);
  });
});

describe.skipIf(process.platform !== 'linux')('where memory does not suffice', () => {
  afterEach(() => limitTensorBytes(Number.POSITIVE_INFINITY));

  it('for some mini-batches, these are left out of the loss and of the weights', async () => {
    const state = createSearchState(tinyContext, 'random', 1);
    const { feed, counts } = counted();
    const kernels: (readonly number[])[] = [];
    const after = async (done: number) => {
      kernels.push(kernelOf(state));
      limitTensorBytes(done === 1 ? 1 : Number.POSITIVE_INFINITY);
    };
    const { loss, leftOut } = await train(state.trainer, feed, paceOf(3, { after }));
    expect(leftOut).toBe(1);
    expect(loss).toBeGreaterThan(0);
    expect(kernels[1]).toEqual(kernels[0]);
    expect(kernels[2]).not.toEqual(kernels[1]);
    expect(counts.released).toBe(3);
  });

  it('for one mini-batch of a step, nothing is learnt from the others of it', async () => {
    const state = createSearchState(tinyContext, 'random', 1);
    const before = kernelOf(state);
    const { counts, feed } = counted(3);
    const { next } = feed.batches;
    const batches = {
      ...feed.batches,
      next: async () => {
        limitTensorBytes(counts.taken === 1 ? 1 : Number.POSITIVE_INFINITY);
        return next();
      },
    };
    const kernels: (readonly number[])[] = [];
    const after = async () => void kernels.push(kernelOf(state));
    const { leftOut } = await train(state.trainer, { ...feed, batches }, paceOf(2, { after }));
    expect([leftOut, counts.released]).toEqual([1, 6]);
    expect(kernels[0]).toEqual(before);
    expect(kernels[1]).not.toEqual(before);
  });

  it('for any, that is said, and the weights are as before', async () => {
    const state = createSearchState(tinyContext, 'random', 1);
    const before = kernelOf(state);
    limitTensorBytes(1);
    const error: unknown = await train(state.trainer, counted().feed, paceOf(3)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(/Memory did not suffice for any of 3 training steps, .* less --memory/);
    expect(kernelOf(state)).toEqual(before);
  });
});
