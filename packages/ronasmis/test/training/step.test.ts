import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { createSearchState } from '../../src/search/state.ts';
import { addGradients, dropSkips, type TrainingBatch } from '../../src/training/step.ts';
import type { Trainer } from '../../src/training/trainer.ts';
import { chirpValues } from '../chirp.ts';
import { chirpLabel } from '../network/peer.ts';
import { tinyContext } from '../search/tiny-context.ts';

const patch = [16, 16, 16] as const;
const voxels = 16 ** 3;
const network = networkOf(tinyContext.space.base, tinyContext.dimensions);

/** A batch of these patches, each told by a number. */
function batchOf(...patches: readonly number[]): TrainingBatch {
  return {
    image: Float32Array.from(patches.flatMap((one) => Array.from(chirpValues(voxels, one)))),
    label: Uint8Array.from(patches.flatMap((one) => Array.from(chirpLabel(voxels, 3, one)))),
    plan: { patch, crops: patches.map(() => ({ case: 0, offset: [0, 0, 0] as const, flip: [] })) },
  };
}

const gradientsOf = ({ weights }: Trainer): ReadonlyMap<string, readonly number[]> =>
  new Map([...weights].flatMap(([name, { gradient }]) => (gradient ? [[name, gradient.toNumbers()] as const] : [])));

describe('a training step', () => {
  it('learns from mini-batches one after the other as from one of all their patches', () => {
    const { trainer } = createSearchState(tinyContext, 'random', 1);
    const whole = addGradients(trainer, network, batchOf(2, 3)).item();
    const expected = gradientsOf(trainer);
    trainer.optimiser.clearGradients();
    const losses = [2, 3].map((one) => addGradients(trainer, network, batchOf(one), { share: 1 / 2 }).item());
    expect((losses[0] + losses[1]) / 2).toBeCloseTo(whole, 5);
    const found = gradientsOf(trainer);
    expect([...found.keys()]).toEqual([...expected.keys()]);
    expect(found.size).toBeGreaterThan(10);
    for (const [name, values] of expected) {
      const largest = Math.max(...values.map(Math.abs));
      const differences = (found.get(name) ?? []).map((value, at) => Math.abs(value - values[at]));
      expect([name, Math.max(...differences) <= 1e-4 * largest + 1e-7]).toEqual([name, true]);
    }
  });

  it('leaves out the same skips in each of its mini-batches, others in the next step', () => {
    const recipe = { ...defaultRecipe.training, drop_path: 0.5 };
    const random = createRandom(4);
    const drawn = (drop: () => boolean): readonly boolean[] => Array.from({ length: 40 }, () => drop());
    const [first, second] = [dropSkips(recipe, random), dropSkips(recipe, random)];
    expect(drawn(first())).toEqual(drawn(first()));
    expect(drawn(second())).not.toEqual(drawn(first()));
    expect(new Set(drawn(first())).size).toBe(2);
  });
});
