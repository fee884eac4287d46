import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { autoController } from '../../src/controller/auto.ts';
import { reinforceController } from '../../src/controller/reinforce.ts';
import { paperRecipe } from '../../src/recipe/paper.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { outlookOf, rewarded } from './outlook.ts';
import { smallSpace } from './small-space.ts';

const recipe = defaultRecipe.controller;
const enough = outlookOf(recipe.fewest_steps);
const tooFew = outlookOf(recipe.fewest_steps - 1);

describe('auto', () => {
  test('proposes the base child alone where the search is too short to choose', () => {
    const controller = autoController(smallSpace, 1);
    const random = createRandom(1);
    controller.begin(tooFew);
    for (const children of [
      controller.proposeForTraining(30, random, tooFew),
      controller.proposeForEvaluation(30, random, tooFew),
    ])
      expect(children).toEqual(Array.from({ length: 30 }, () => smallSpace.baseChoices));
    expect(controller.learn(rewarded([smallSpace.baseChoices], [1]), tooFew)).toBeNull();
    expect(controller.distributionOf([smallSpace.baseChoices], tooFew)).toBeNull();
    expect(controller.finalists()).toEqual([]);
    expect(random.state()).toEqual(createRandom(1).state());
  });

  test.each([
    ['is long enough', recipe, enough],
    ['follows the paper, however short', paperRecipe.controller, outlookOf(1)],
  ])('is reinforce where the search %s', (_, constants, outlook) => {
    const [auto, reinforce] = [autoController, reinforceController].map((create) => {
      const controller = create(smallSpace, 3, constants);
      const random = createRandom(5);
      controller.begin(outlook);
      const children = controller.proposeForEvaluation(20, random, outlook);
      const rewards = children.map((child) => child[0]);
      const baseline = controller.learn(rewarded(children, rewards), outlook);
      const next = controller.proposeForTraining(20, random, outlook);
      return { children, baseline, next, finalists: controller.finalists() };
    });
    expect(auto).toEqual(reinforce);
  });

  test('rests on after a resume, whatever the clock says then', () => {
    const controller = autoController(smallSpace, 1);
    controller.begin(tooFew);
    const { tensors, plain } = controller.state();
    const restored = autoController(smallSpace, 2);
    restored.restore({ tensors, plain: JSON.parse(JSON.stringify(plain)) });
    expect(restored.proposeForTraining(3, createRandom(1), enough)).toEqual(
      Array.from({ length: 3 }, () => smallSpace.baseChoices),
    );
  });
});
