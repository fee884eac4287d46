import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paperRecipe } from '../../src/recipe/paper.ts';
import { constantsOf, defaultRecipe, differences, recipeSchema } from '../../src/recipe/recipe.ts';
import { recipeTable } from './table.ts';

describe('a recipe', () => {
  it('says of every constant what it counts and where it comes from', () => {
    const constants = constantsOf(defaultRecipe);
    expect(constants.length).toBeGreaterThan(50);
    for (const { section, name, value, unit, source } of constants) {
      const what = `${section}.${name}`;
      expect(value, what).toBeDefined();
      expect(unit, what).not.toBe('');
      expect(source, what).not.toBe('');
    }
  });

  it('survives being written and read, as run.json keeps it', () => {
    for (const recipe of [defaultRecipe, paperRecipe]) {
      expect(recipeSchema.parse(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
    }
  });

  it('with one constant left out has the default there, and all others as they are', () => {
    const constants = constantsOf(paperRecipe);
    fc.assert(
      // The default base_lead needs biases, which the published recipe has none of.
      fc.property(fc.constantFrom(...constants.filter(({ name }) => name !== 'base_lead')), ({ section, name }) => {
        const some = JSON.parse(JSON.stringify(paperRecipe));
        delete some[section][name];
        const full = constantsOf(recipeSchema.parse(some));
        const expected = constants.map((constant) => {
          const original = constantsOf(defaultRecipe).find((one) => one.section === section && one.name === name);
          return constant.section === section && constant.name === name ? original : constant;
        });
        expect(full).toEqual(expected);
      }),
    );
  });

  it('refuses constants and sections that there are none of', () => {
    expect(recipeSchema.safeParse({ training: { learning_rat: 1 } }).success).toBe(false);
    expect(recipeSchema.safeParse({ trainin: {} }).success).toBe(false);
    expect(recipeSchema.safeParse({ augmentation: { noise: [1, 0] } }).success).toBe(false);
    expect(recipeSchema.safeParse({ controller: { bias_scale: 0 } }).error?.message).toMatch(/decisions have biases/);
    expect(recipeSchema.safeParse({ controller: { tanh_constant: 2 } }).error?.message).toMatch(
      /twice the tanh_constant/,
    );
    expect(recipeSchema.safeParse({ training: { optimiser: 'sgd' } }).error?.message).toMatch(
      /SGD decays weights in the gradient/,
    );
  });
});

describe('the recipe of the paper', () => {
  it('is the published one: three epochs and 20 children at each of 150 controller epochs, and nothing that we added', () => {
    const { search, training, controller, space, augmentation } = paperRecipe;
    expect([search.epochs, search.training_epochs, search.children]).toEqual([150, 3, 20]);
    expect([search.coarse_share, search.finalists]).toEqual([0, false]);
    expect(controller.base_lead).toEqual([0, 0]);
    expect([controller.warm_up_share, controller.decided_share, controller.bias_scale]).toEqual([0, null, 0]);
    expect([space.cost_limit, space.patch_lead]).toEqual([null, null]);
    expect([training.loss, training.weight_decay, training.weight_decay_in]).toEqual(['dice', 1e-3, 'gradient']);
    expect([training.averaged_share, augmentation.flip]).toEqual([0, 0.5]);
  });

  it('differs from the default where docs/search.md says so, and nowhere else', () => {
    const document = readFileSync(new URL('../../../../docs/search.md', import.meta.url), 'utf8');
    expect(document).toContain(recipeTable(differences(paperRecipe, defaultRecipe)));
  });
});
