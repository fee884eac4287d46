import { noGradient, scope } from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { createRandom, type Random } from '../../src/base/random.ts';
import { segment } from '../../src/inference/segment.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { createSearchState, type SearchState } from '../../src/search/state.ts';
import { addGradients } from '../../src/training/step.ts';
import { chirp, chirpValues } from '../chirp.ts';
import { chirpLabel } from '../network/peer.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { trainOnce } from './train-once.ts';

const { base } = tinyContext.space;
if (base.space !== 'macro') throw new Error('These are tests of the macro space.');
/** The base with every skip that there is. */
const allSkips: ChildArchitecture = {
  ...base,
  decoder: base.decoder.map((choice) => ({ ...choice, skips: [0, 1, 2, 3] })),
};
const names = [0, 1, 2, 3].flatMap((level) => [0, 1, 2, 3].map((from) => `decoder.${level}.skip${from}`));
const voxels = 16 ** 3;
const batch = {
  image: Float32Array.from(chirpValues(voxels, 1)),
  label: chirpLabel(voxels, 3, 3),
  plan: { patch: [16, 16, 16] as const, crops: [{ case: 0, offset: [0, 0, 0] as const, flip: [] }] },
};

/** Trains once under this chance; the skips whose weights stayed as they were. */
function unmoved(state: SearchState, random: Random): readonly string[] {
  const values = () => names.map((name) => String(state.trainer.weights.get(name)?.toNumbers()));
  const before = values();
  state.random = random;
  trainOnce(tinyContext, state, allSkips, batch);
  return names.filter((_, i) => values()[i] === before[i]);
}

/** A search that leaves out this share of the skips. */
function stateOf(drop_path: number): SearchState {
  const recipe = { ...defaultRecipe, training: { ...defaultRecipe.training, drop_path } };
  return createSearchState({ ...tinyContext, recipe }, 'reinforce', 1);
}

describe('drop-path', () => {
  test('leaves one skip in ten out of a training step, each by itself, and its weights are not moved', () => {
    const state = createSearchState(tinyContext, 'reinforce', 1);
    const random = createRandom(5);
    const steps = 100;
    const counts = new Map(names.map((name) => [name, 0]));
    let sameLevel = 0;
    for (let step = 0; step < steps; step++) {
      const dropped = unmoved(state, random);
      for (const name of dropped) counts.set(name, (counts.get(name) ?? 0) + 1);
      sameLevel += dropped.filter((name) => name.startsWith('decoder.0.')).length === 4 ? 1 : 0;
    }
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    // SciPy 1.17.1, stats.binom.ppf([1e-5, 1 - 1e-5], 1600, 0.1): 112 and 213; of 100: 1 and 25.
    expect(all).toBeGreaterThanOrEqual(112);
    expect(all).toBeLessThanOrEqual(213);
    for (const count of counts.values()) expect(count).toBeLessThanOrEqual(25);
    for (const count of counts.values()) expect(count).toBeGreaterThan(0);
    // Were skips of a level dropped together, it would be about ten times.
    expect(sameLevel).toBeLessThan(2);
  });

  test('can take all skips of all levels: the decoder then goes on with what comes from below, and trains', () => {
    const state = stateOf(1);
    expect(unmoved(state, createRandom(1))).toEqual(names);
    const losses = Array.from({ length: 5 }, () => trainOnce(tinyContext, state, allSkips, batch));
    expect(losses[4]).toBeLessThan(losses[0]);
  });

  test('can take none', () => {
    expect(unmoved(stateOf(0), createRandom(1))).toEqual([]);
  });

  test('asks for chance once a skip while it trains, and never at prediction', () => {
    const { trainer } = createSearchState(tinyContext, 'reinforce', 1);
    let asked = 0;
    const dropSkip = (): boolean => {
      asked += 1;
      return true;
    };
    scope(() => addGradients(trainer, networkOf(allSkips, tinyContext.dimensions), batch, { dropSkip }).item());
    expect(asked).toBe(16);
    const image = chirp([1, 1, 16, 16, 16], 1);
    const predicted = (child: ChildArchitecture): string =>
      noGradient(() =>
        scope(() => String(segment(networkOf(child, tinyContext.dimensions), trainer.weights, image).toNumbers())),
      );
    const none = { ...base, decoder: base.decoder.map((choice) => ({ ...choice, skips: [] })) };
    expect(predicted(allSkips)).not.toBe(predicted(none));
    expect(asked).toBe(16);
  });
});
