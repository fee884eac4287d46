import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { createPolicy, likeliestChild, sampleChildren } from '../../src/controller/policy.ts';
import { decidedAfter, sharpnessAt } from '../../src/controller/policy-controller.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { smallSpace } from './small-space.ts';

it('is 1 at first, never falls, and is at its most from two thirds of the search on', () => {
  const sharpnessOf = (done: number): number => sharpnessAt({ done, expectedSteps: 15 }, defaultRecipe.controller);
  expect(sharpnessOf(0)).toBe(1);
  expect(sharpnessOf(1 / 3)).toBeCloseTo(2, 12);
  expect(sharpnessOf(2 / 3)).toBe(50);
  expect(sharpnessOf(1)).toBe(50);
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, share, fc.integer({ min: 1, max: 500 }), (one, other, expectedSteps) => {
      const [later, earlier] = [Math.max, Math.min].map((pick) =>
        sharpnessAt({ done: pick(one, other), expectedSteps }, defaultRecipe.controller),
      );
      expect(later).toBeGreaterThanOrEqual(earlier);
    }),
  );
});

it('is at its most for the last five controller steps alone of a long search', () => {
  expect(decidedAfter(3, defaultRecipe.controller)).toBe(2 / 3);
  expect(decidedAfter(12, defaultRecipe.controller)).toBe(2 / 3);
  expect(decidedAfter(50, defaultRecipe.controller)).toBeCloseTo(0.9, 12);
  expect(sharpnessAt({ done: 2 / 3, expectedSteps: 50 }, defaultRecipe.controller)).toBeCloseTo(
    1 / (1 - 2 / 3 / 0.9),
    9,
  );
  expect(sharpnessAt({ done: 0.9, expectedSteps: 50 }, defaultRecipe.controller)).toBe(50);
});

it('makes a policy that has hardly learnt draw its likeliest child', () => {
  const policy = createPolicy(smallSpace, 3, defaultRecipe.controller);
  const likeliest = likeliestChild(policy);
  const share = (sharpness: number): number =>
    sampleChildren(policy, createRandom(1), { count: 500, sharpness: sharpness }).filter(
      (child) => String(child) === String(likeliest),
    ).length / 500;
  expect(share(1)).toBeLessThan(0.1);
  expect(share(1e4)).toBeGreaterThan(0.95);
});
