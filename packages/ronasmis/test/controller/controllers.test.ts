import type { Tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { createRandom, type Random } from '../../src/base/random.ts';
import type { Controller } from '../../src/controller/controller.ts';
import { type ControllerName, controllerNames } from '../../src/controller/controllers.ts';
import { createController } from '../../src/controller/create.ts';
import { macroSpace } from '../../src/space/macro.ts';
import type { SearchSpace } from '../../src/space/space.ts';
import { createSpace } from '../../src/space/spaces.ts';
import { outlookOf, rewarded } from './outlook.ts';
import { smallSpace } from './small-space.ts';

const dimensions = networkDimensions(1, 3);
const macro = macroSpace([36, 51, 35], dimensions);

/** Lets a controller learn from `steps` times `count` children; gives the mean reward of each step. */
function learn(
  controller: Controller,
  steps: number,
  count: number,
  random: Random,
  reward: (child: readonly number[]) => number,
): readonly number[] {
  return Array.from({ length: steps }, () => {
    const children = controller.proposeForEvaluation(count, random, outlookOf(10));
    const rewards = children.map(reward);
    controller.learn(rewarded(children, rewards), outlookOf(steps));
    return rewards.reduce((sum, value) => sum + value, 0) / count;
  });
}

/** A made-up reward: how many decisions are answered by the last option. */
const wish = (child: readonly number[]): number => child.reduce((sum, option) => sum + option, 0) / child.length;

function expectAdmitted(space: SearchSpace, children: readonly (readonly number[])[], count: number): void {
  expect(children).toHaveLength(count);
  for (const child of children) {
    expect(child).toHaveLength(space.decisions.length);
    child.forEach((option, at) => {
      expect(space.admitted(child.slice(0, at))[option]).toBe(true);
    });
  }
}

describe.each(controllerNames)('%s', (name) => {
  test.each([
    ['small', smallSpace, 12],
    ['macro', macro, 3],
    ['micro', createSpace('micro', [36, 51, 35], dimensions), 4],
    ['fixed', createSpace('fixed', [36, 51, 35], dimensions), 2],
  ])('proposes children that the %s space admits, at every stage', (_, space, numRuns) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 15 }),
        (seed, steps, count) => {
          const controller = createController(name, space, seed);
          const random = createRandom(seed);
          controller.begin(outlookOf(steps + 1));
          learn(controller, steps, 20, random, wish);
          expectAdmitted(space, controller.proposeForTraining(count, random, outlookOf(10)), count);
          expectAdmitted(space, controller.proposeForEvaluation(count, random, outlookOf(10)), count);
          const finalists = controller.finalists();
          expectAdmitted(space, finalists, finalists.length);
        },
      ),
      { numRuns },
    );
  });

  test('goes on from its state as if it had not been stopped', () => {
    const controller = createController(name, smallSpace, 1);
    const random = createRandom(2);
    controller.begin(outlookOf(3));
    learn(controller, 3, 20, random, wish);
    const restored = createController(name, smallSpace, 99);
    const { tensors, plain } = controller.state();
    restored.restore({ tensors, plain: JSON.parse(JSON.stringify(plain)) });
    const after = (one: Controller, chance: Random) => {
      const rewards = learn(one, 2, 20, chance, wish);
      return {
        rewards,
        children: one.proposeForTraining(9, chance, outlookOf(10)),
        finalists: one.finalists(),
        state: plainState(one),
      };
    };
    const twin = createRandom(7);
    expect(after(restored, twin)).toEqual(after(controller, createRandom(7)));
  });
});

/** A controller's state as plain values. */
function plainState(controller: Controller) {
  const { tensors, plain } = controller.state();
  const values = (tensor: Tensor): number[] => tensor.toNumbers();
  return { plain, tensors: Object.fromEntries([...tensors].map(([key, tensor]) => [key, values(tensor)])) };
}

describe('within the same number of evaluated children', () => {
  /** Mean reward of the last of 12 steps of 20 children, over a few seeds. */
  const reached = (name: ControllerName): number => {
    const rewards = [1, 2, 3].map((seed) => {
      const controller = createController(name, smallSpace, seed);
      return learn(controller, 12, 20, createRandom(seed), wish)[11];
    });
    return rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  };
  const byChance = reached('random');

  test.each(['reinforce', 'ppo', 'evolution'] as const)('%s finds better ones than random', (name) => {
    expect(reached(name)).toBeGreaterThan(byChance + 0.25);
  });
});
