import { z } from 'zod';
import type { Random } from '../base/random.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import { admittedOptions, type DecisionSpace } from '../space/space.ts';
import type { Choices, Controller, RewardedChild } from './controller.ts';
import { baseLead, drawChild } from './draw.ts';

const individualSchema = z.object({ choices: z.array(z.int()).readonly(), reward: z.number() });
const stateSchema = z.object({ lead: z.number(), population: z.array(individualSchema).readonly() });

/**
 * Regularised evolution (Real et al. 2019, "Regularized evolution for image classifier architecture search"): a parent is the best of a
 * few drawn from the population, its child differs in one decision, and who dies is the oldest, however good. With shared weights,
 * ageing has one more reason: old rewards were earned with weights that knew less.
 *
 * The first population is drawn as a policy begins, near the base child. Mini-batches train mutants as well:
 * they are what the next generation is made of.
 */
export function evolutionController(
  space: DecisionSpace,
  _seed: number,
  recipe: Recipe['controller'] = defaultRecipe.controller,
): Controller {
  let lead = 0;
  let population: readonly RewardedChild[] = [];
  const offspring = (random: Random): Choices =>
    population.length < recipe.population
      ? drawChild(space, lead, random)
      : mutate(space, tournament(population, random, recipe).choices, random);
  const propose: Controller['proposeForEvaluation'] = (count, random) =>
    Array.from({ length: count }, () => offspring(random));
  return {
    begin: ({ expectedSteps }) => {
      lead = baseLead(expectedSteps, recipe);
    },
    proposeForTraining: propose,
    proposeForEvaluation: propose,
    // A child is drawn by its parent, and there is no distribution over all of them.
    distributionOf: () => null,
    learn: (children) => {
      population = age(
        population,
        children.map(({ choices, reward }) => ({ choices, reward })),
        recipe,
      );
      return null;
    },
    finalists: () => (population.length === 0 ? [] : [population.reduce(better).choices]),
    state: () => ({ tensors: new Map(), plain: { lead, population } }),
    restore: ({ plain }) => {
      ({ lead, population } = stateSchema.parse(plain));
    },
  };
}

/** A population with a new generation, oldest first: as many of the oldest are gone as are too many. A whole generation always lives. */
export function age(
  population: readonly RewardedChild[],
  generation: readonly RewardedChild[],
  { population: size }: Pick<Recipe['controller'], 'population'>,
): readonly RewardedChild[] {
  return [...population, ...generation].slice(-Math.max(size, generation.length));
}

/** The best of some individuals that are drawn without regard to their rewards. */
function tournament(
  population: readonly RewardedChild[],
  random: Random,
  { tournament: size }: Recipe['controller'],
): RewardedChild {
  return random.shuffle(population).slice(0, size).reduce(better);
}

/** The fitter of two; the younger one of equals. */
function better(one: RewardedChild, other: RewardedChild): RewardedChild {
  return other.reward >= one.reward ? other : one;
}

/**
 * A child that answers one decision in another way than its parent, and every later one as its parent does, where that is still admitted;
 * elsewhere by the admitted option next to the parent's. Where nothing can be another way, it is its parent.
 */
export function mutate(space: DecisionSpace, parent: Choices, random: Random): Choices {
  const others = parent.map((choice, at) =>
    admittedOptions(space, parent.slice(0, at)).filter((option) => option !== choice),
  );
  const open = others.flatMap((options, at) => (options.length > 0 ? [at] : []));
  if (open.length === 0) return parent;
  const changed = open[random.integer(open.length)];
  const option = others[changed][random.integer(others[changed].length)];
  return repair(space, [...parent.slice(0, changed), option], parent);
}

/** Goes on after `begun` as `parent` does, as far as the space admits it. */
function repair(space: DecisionSpace, begun: Choices, parent: Choices): Choices {
  const choices = [...begun];
  for (const wanted of parent.slice(begun.length)) {
    const nearest = admittedOptions(space, choices).reduce((best, option) =>
      Math.abs(option - wanted) < Math.abs(best - wanted) ? option : best,
    );
    choices.push(nearest);
  }
  return choices;
}
