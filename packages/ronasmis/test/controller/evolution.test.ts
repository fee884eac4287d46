import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { createRandom } from '../../src/base/random.ts';
import { age, evolutionController, mutate } from '../../src/controller/evolution.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { createSpace } from '../../src/space/spaces.ts';
import { walks } from '../space/walk.ts';
import { outlookOf, rewarded } from './outlook.ts';
import { smallSpace } from './small-space.ts';

const dimensions = networkDimensions(1, 3);
const macro = macroSpace([36, 51, 35], dimensions);
const anySeed = fc.integer({ min: 0, max: 2 ** 31 - 1 });

describe('a mutant', () => {
  test.each([
    ['small', smallSpace],
    ['macro', macro],
    ['micro', createSpace('micro', [36, 51, 35], dimensions)],
  ])(
    'of the %s space changes one decision, and of the later ones those alone that are not admitted any more',
    (_, space) => {
      fc.assert(
        fc.property(walks(space), anySeed, (parent, seed) => {
          const mutant = mutate(space, parent, createRandom(seed));
          expect(mutant).toHaveLength(parent.length);
          const changed = mutant.findIndex((option, at) => option !== parent[at]);
          expect(changed).toBeGreaterThanOrEqual(0);
          mutant.forEach((option, at) => {
            const admitted = space.admitted(mutant.slice(0, at));
            expect(admitted[option]).toBe(true);
            if (at > changed && option !== parent[at]) expect(admitted[parent[at]]).toBe(false);
          });
        }),
        { numRuns: 50 },
      );
    },
  );

  test('changes every decision about as often', () => {
    const random = createRandom(3);
    const counts = smallSpace.decisions.map(() => 0);
    const parent = [0, 0, 0, 0, 0, 0];
    for (let draw = 0; draw < 3000; draw += 1) {
      const mutant = mutate(smallSpace, parent, random);
      counts[mutant.findIndex((option, at) => option !== parent[at])] += 1;
    }
    // 500 each; four standard deviations are 82.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(82);
  });

  test('is repaired to the next option that is admitted', () => {
    const random = createRandom(1);
    const mutants = Array.from({ length: 100 }, () => mutate(smallSpace, [0, 0, 0, 2, 0, 0], random));
    // Where the plane comes to be pooled, dilation 3 does not reach any more.
    expect(mutants.filter((mutant) => mutant[2] === 1).map((mutant) => mutant[3])).toContain(1);
    expect(mutants.filter((mutant) => mutant[2] === 1).every((mutant) => mutant[3] === 1)).toBe(true);
  });

  test('of a space with one child is that child', () => {
    const fixed = createSpace('fixed', [36, 51, 35], dimensions);
    expect(mutate(fixed, fixed.baseChoices, createRandom(1))).toEqual(fixed.baseChoices);
  });
});

describe('the population', () => {
  test('loses its oldest, however good, and never the youngest generation', () => {
    const generation = fc
      .integer({ min: 1, max: 60 })
      .chain((length) =>
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: length, maxLength: length }),
      );
    fc.assert(
      fc.property(fc.array(generation, { minLength: 1, maxLength: 8 }), (generations) => {
        let serial = 0;
        const all = generations.map((rewards) => rewards.map((reward) => ({ choices: [serial++], reward })));
        const population = all.reduce<ReturnType<typeof age>>(
          (sum, generation) => age(sum, generation, defaultRecipe.controller),
          [],
        );
        const kept = Math.max(defaultRecipe.controller.population, all[all.length - 1].length);
        expect(population).toEqual(all.flat().slice(-kept));
      }),
    );
  });

  test('has its parents in a tournament: children come of the good, not of those that were good once', () => {
    const controller = evolutionController(smallSpace, 1);
    const random = createRandom(6);
    const [dead, good, poor] = [
      [0, 2, 0, 2, 0, 0],
      [1, 0, 0, 0, 1, 1],
      [0, 0, 1, 1, 0, 0],
    ];
    controller.learn(rewarded([dead], [1]), outlookOf(10));
    const generation = Array.from({ length: defaultRecipe.controller.population }, (_, index) =>
      index % 2 === 0 ? good : poor,
    );
    controller.learn(
      rewarded(
        generation,
        generation.map((child) => (child === good ? 0.6 : 0.1)),
      ),
      outlookOf(10),
    );
    const distance = (child: readonly number[], other: readonly number[]): number =>
      child.filter((option, at) => option !== other[at]).length;
    const children = [
      controller.proposeForEvaluation(100, random, outlookOf(10)),
      controller.proposeForTraining(100, random, outlookOf(10)),
    ].flat();
    // Ten of forty without a good one among them: once in 4,600 draws.
    expect(children.filter((child) => distance(child, good) === 1).length).toBeGreaterThan(195);
    expect(children.every((child) => distance(child, dead) > 1)).toBe(true);
    expect(controller.finalists()).toEqual([good]);
  });

  test('is drawn as a policy begins until it is whole: near the base child, the nearer the shorter the search', () => {
    const controller = evolutionController(macro, 1);
    controller.begin(outlookOf(2));
    const children = controller.proposeForEvaluation(
      defaultRecipe.controller.population - 1,
      createRandom(1),
      outlookOf(10),
    );
    const base = macro.baseChoices;
    const share = (some: readonly (readonly number[])[]): number =>
      some.flatMap((child) => child.filter((option, at) => option === base[at])).length / (some.length * base.length);
    expect(share(children)).toBeGreaterThan(0.9);
    expect(controller.finalists()).toEqual([]);
    expect(
      controller.learn(
        rewarded(
          children,
          children.map(() => 0.5),
        ),
        outlookOf(2),
      ),
    ).toBeNull();
    expect(controller.distributionOf(children, outlookOf(2))).toBeNull();
    controller.begin(outlookOf(10_000));
    const ofLongSearch = share(
      controller.proposeForEvaluation(defaultRecipe.controller.population, createRandom(1), outlookOf(10)),
    );
    expect(ofLongSearch).toBeGreaterThan(0.7);
    expect(ofLongSearch).toBeLessThan(0.9);
  });
});
