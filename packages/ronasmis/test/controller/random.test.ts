import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { baseLead, drawChild } from '../../src/controller/draw.ts';
import { randomController } from '../../src/controller/random.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { walks } from '../space/walk.ts';
import { outlookOf, rewarded } from './outlook.ts';
import { smallChildren, smallSpace } from './small-space.ts';

/** Probability of a child whose every choice is uniform among the options that are admitted after those before it. */
function uniformShare(child: readonly number[]): number {
  return child.reduce((share, _, at) => share / smallSpace.admitted(child.slice(0, at)).filter(Boolean).length, 1);
}

describe('random search', () => {
  test('draws every choice uniformly among the admitted options, for training and for evaluation, before and after rewards', () => {
    const controller = randomController(smallSpace);
    const random = createRandom(4);
    const draws = 6000;
    controller.begin(outlookOf(1));
    const children = [...controller.proposeForTraining(draws / 2, random, outlookOf(10))];
    controller.learn(rewarded(children.slice(0, 2), [0, 1]), outlookOf(10));
    children.push(...controller.proposeForEvaluation(draws / 2, random, outlookOf(10)));
    const counts = new Map<string, number>();
    for (const child of children) counts.set(child.join(), (counts.get(child.join()) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual(smallChildren.map((child) => child.join()).sort());
    const chiSquare = smallChildren.reduce((sum, child) => {
      const expected = uniformShare(child) * draws;
      return sum + ((counts.get(child.join()) ?? 0) - expected) ** 2 / expected;
    }, 0);
    // SciPy 1.17.1, stats.chi2.ppf([1e-4, 1 - 1e-4], 119): 69.97 and 185.09.
    expect(chiSquare).toBeGreaterThan(69.97);
    expect(chiSquare).toBeLessThan(185.09);
  });

  test('says the entropy of what it draws from: over many children, that of the distribution', () => {
    const controller = randomController(smallSpace);
    const exact = smallChildren.reduce((sum, child) => sum - uniformShare(child) * Math.log(uniformShare(child)), 0);
    const children = controller.proposeForEvaluation(4000, createRandom(2), outlookOf(10));
    expect(controller.distributionOf(children, outlookOf(10))?.entropy).toBeCloseTo(exact, 1.5);
    expect(controller.learn(rewarded(children.slice(0, 1), [0]), outlookOf(10))).toBeNull();
    fc.assert(
      fc.property(walks(smallSpace), (child) => {
        expect(controller.distributionOf([child], outlookOf(10))?.entropy).toBeCloseTo(
          -Math.log(uniformShare(child)),
          10,
        );
      }),
    );
  });
});

describe('a child that is drawn near the base child', () => {
  test('takes each of its choices as often as its lead says', () => {
    const random = createRandom(5);
    const children = Array.from({ length: 4000 }, () => drawChild(smallSpace, 2, random));
    // Patch depth: two options, of which the first is the base child's. Dilation: the first of three.
    const share = (at: number, option: number): number =>
      children.filter((child) => child[at] === option).length / children.length;
    const odds = Math.exp(2);
    expect(Math.abs(share(0, 0) - odds / (odds + 1))).toBeLessThan(0.02);
    expect(Math.abs(share(1, 0) - odds / (odds + 2))).toBeLessThan(0.02);
  });

  test('is the nearer the shorter the search, and never uniform', () => {
    expect([1, 45, 60, 90, 150].map((steps) => baseLead(steps, defaultRecipe.controller))).toEqual([4, 4, 3, 2, 2]);
  });
});
