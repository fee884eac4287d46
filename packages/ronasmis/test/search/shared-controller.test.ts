import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { createController } from '../../src/controller/create.ts';
import { alone, type Team } from '../../src/ranks/team.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { sharedController } from '../../src/search/shared-controller.ts';
import { tinyContext } from './tiny-context.ts';

const outlook = { expectedSteps: 10, done: 0.5 };
const { space } = tinyContext;

/** Two ranks that hear each other in one process, as long as the first one does everything first. */
function pair(): readonly [Team, Team] {
  const said: string[] = [];
  const first: Team = {
    ...alone,
    size: 2,
    fromFirst: (make) => {
      const value = make();
      said.push(JSON.stringify(value));
      return value;
    },
  };
  return [first, { ...first, rank: 1, isFirst: false, fromFirst: () => JSON.parse(said.shift() ?? 'null') }];
}

it('has every rank propose, learn and draw on as the first one does, whatever its own controller would say', () => {
  const [first, second] = pair().map((team, rank) => ({
    controller: sharedController(createController('reinforce', space, 1 + rank, defaultRecipe.controller), team),
    random: createRandom(7),
  }));
  const live = ({ controller, random }: typeof first) => {
    controller.begin(outlook);
    const trained = controller.proposeForTraining(3, random, outlook);
    const proposed = controller.proposeForEvaluation(4, random, outlook);
    const rewarded = proposed.map((choices, at) => ({ choices, reward: at / 4 }));
    const distribution = controller.distributionOf(proposed, outlook);
    const baseline = controller.learn(rewarded, outlook);
    return { trained, proposed, distribution, baseline, finalists: controller.finalists(), next: random.uniform() };
  };
  const lived = live(first);
  expect(live(second)).toEqual(lived);
  expect(lived.proposed).toHaveLength(4);
  expect(lived.baseline).not.toBeNull();
});

it('is the controller itself where nobody else is there', () => {
  const controller = createController('random', space, 1, defaultRecipe.controller);
  expect(sharedController(controller, alone)).toBe(controller);
});
