import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { createRandom } from '../../src/base/random.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import type { Augmenting } from '../../src/search/augmenting.ts';
import { batchShape } from '../../src/search/batch-shape.ts';
import type { Clock } from '../../src/search/clock.ts';
import { ownSteps, sharedSteps, withDrawnPatch } from '../../src/search/planned-steps.ts';
import { createSearchState } from '../../src/search/state.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { noLimits } from '../../src/space/space.ts';
import { createSpace } from '../../src/space/spaces.ts';
import { walks } from '../space/walk.ts';
import { prepared } from './prepared-case.ts';
import { tinyContext } from './tiny-context.ts';

const volume = [80, 96, 70] as const;
const dimensions = networkDimensions(1, 3);
/** Patches are mirrored alone. */
const augmenting: Augmenting = { when: 'off', curve: [], isOn: false };
const macro = createSpace('macro', volume, dimensions);

describe('the patch of a child in training', () => {
  it("is any that the macro space, where it decides on patches, admits with the child's other choices", () => {
    // What a child may cost is asked of it on one patch alone.
    const recipe = { ...defaultRecipe.space, cost_limit: null };
    const whole = macroSpace(volume, dimensions, { ...noLimits, recipe });
    const options = [0, 1, 2, 3, 4];
    fc.assert(
      fc.property(walks(macro), (choices) => {
        const admitted = options.flatMap((depth) =>
          options.flatMap((plane) => {
            const all = [depth, plane, ...choices];
            const exists = all.every((option, at) => whole.admitted(all.slice(0, at))[option]);
            return exists ? [JSON.stringify(whole.decode(all).patch)] : [];
          }),
        );
        const found = macro.patchesOf?.(macro.decode(choices)) ?? [];
        expect(found.map((patch) => JSON.stringify(patch)).sort()).toEqual([...new Set(admitted)].sort());
      }),
      { numRuns: 30 },
    );
  });

  it('is the largest about nine times in ten, and every other one now and then', () => {
    const random = createRandom(3);
    const { base } = macroSpace(volume, dimensions);
    const pool = { depth: 1, plane: 1 } as const;
    const shallow = { ...base, encoder: base.encoder.map((level) => ({ ...level, pool })) };
    const draws = (lead: number): readonly string[] =>
      Array.from({ length: 5000 }, () => JSON.stringify(withDrawnPatch(macro, shallow, lead, random).patch));
    const largest = JSON.stringify(macro.base.patch);
    const share = draws(4).filter((patch) => patch === largest).length / 5000;
    // Five depths and five planes: (e^4 / (e^4 + 4))^2.
    const expected = (Math.exp(4) / (Math.exp(4) + 4)) ** 2;
    expect(Math.abs(share - expected)).toBeLessThan(0.02);
    // Each of 25 that are equally likely is missing from 5,000 draws once in 10^88.
    expect(new Set(draws(0)).size).toBe(25);
  });

  it('is its own where the space has no others', () => {
    const fixed = createSpace('fixed', volume, dimensions);
    const random = createRandom(1);
    const before = String(random.state());
    expect(withDrawnPatch(fixed, fixed.base, 4, random)).toEqual(fixed.base);
    expect(String(random.state())).toBe(before);
  });
});

it('a controller of the macro space decides on no patch, but where the recipe leaves it to the controller', () => {
  const names = ({ decisions }: Pick<typeof macro, 'decisions'>) => decisions.map(({ choice }) => choice);
  expect(names(macro).some((choice) => choice.startsWith('patch'))).toBe(false);
  const property = fc.property(walks(macro), (choices) => {
    expect(macro.decode(choices).patch).toEqual(macro.base.patch);
  });
  fc.assert(property, { numRuns: 20 });
  expect(macro.decode(macro.baseChoices)).toEqual(macro.base);
  const recipe = { ...defaultRecipe.space, patch_lead: null };
  const learnt = createSpace('macro', volume, dimensions, { ...noLimits, recipe });
  expect(names(learnt).slice(0, 2)).toEqual(['patch_depth', 'patch_plane']);
  expect(learnt.patchesOf).toBeUndefined();
});

it('children are trained on their own patch more and more often, and always from two thirds into a search on', () => {
  const space = createSpace('macro', [48, 48, 48], tinyContext.dimensions);
  const names = ['a', 'b', 'c', 'd'];
  const cases = names.map((name) => prepared(name, [48, 48, 48]));
  const context = {
    ...tinyContext,
    space,
    cases,
    batchVoxels: 48 ** 3,
    split: { training: names, validation: [], test: [] },
  };
  /** How many of 240 mini-batches are of another patch. */
  const othersAt = (step: number): number => {
    const clock: Clock = {
      limit: { epochs: 9, seconds: Number.POSITIVE_INFINITY },
      recipe: defaultRecipe,
      durations: { train: 1, evaluate: 1, final: 1 },
      trainingSteps: 12,
      children: 2,
      step,
      different: 2,
      compared: 0,
      elapsed: () => 0,
    };
    const state = createSearchState(context, 'random', 1);
    const steps = sharedSteps({ context, state, clock, augmenting }, undefined);
    const own = String(batchShape(context, space.base).patch);
    return Array.from({ length: 240 }, () => String(steps.next().value.plans[0].patch)).filter((patch) => patch !== own)
      .length;
  };
  expect(othersAt(2)).toBeGreaterThan(0);
  expect(othersAt(0)).toBeGreaterThan(2 * othersAt(2));
  for (const step of [6, 7, 8]) expect(othersAt(step)).toBe(0);
});

it('patches of a mini-batch are of one case, or where the recipe says so each of any that is trained on', () => {
  const names = ['a', 'b', 'c', 'd'];
  const cases = names.map((name) => prepared(name, [16, 16, 16]));
  const split = { training: ['b', 'c', 'd'], validation: ['a'], test: [] };
  const casesOf = (batch_cases: 'one' | 'any'): readonly (readonly number[])[] => {
    const recipe = { ...defaultRecipe, training: { ...defaultRecipe.training, batch_cases } };
    const { batchVoxels, space } = tinyContext;
    const context = { ...tinyContext, recipe, cases, split, batchVoxels: 6 * batchVoxels };
    const state = createSearchState(context, 'random', 1);
    const steps = ownSteps({ context, state, augmenting, architecture: space.base }, undefined);
    return Array.from({ length: 300 }, () => steps.next().value.plans[0].crops.map((crop) => crop.case));
  };
  const one = casesOf('one');
  for (const drawn of one) expect([drawn.length, new Set(drawn).size]).toEqual([6, 1]);
  // Every epoch of three has each of the training cases once.
  for (let epoch = 0; epoch < 100; epoch++) {
    const order = one.slice(3 * epoch, 3 * epoch + 3).map(([first]) => first);
    expect(order.toSorted()).toEqual([1, 2, 3]);
  }
  const any = casesOf('any').flat();
  for (const index of [1, 2, 3]) {
    const share = any.filter((drawn) => drawn === index).length / any.length;
    expect(Math.abs(share - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / any.length));
  }
  expect(any).not.toContain(0);
});

it('a step has as many cases as the recipe says, of one network, until each was there three times', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const cases = names.map((name) => prepared(name, [16, 16, 16]));
  const split = { training: names, validation: [], test: [] };
  const recipe = { ...defaultRecipe, training: { ...defaultRecipe.training, mini_batches: 4 } };
  const context = { ...tinyContext, recipe, cases, split };
  const state = createSearchState(context, 'random', 1);
  const steps = ownSteps({ context, state, augmenting, architecture: tinyContext.space.base }, undefined);
  const epoch = Array.from({ length: 4 }, () => steps.next().value.plans.map(({ crops: [crop] }) => crop.case));
  expect(epoch.map(({ length }) => length)).toEqual([4, 4, 4, 3]);
  expect(epoch.flat().toSorted()).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  expect(steps.next().value.plans).toHaveLength(4);
});
