import { adam, memory, type Optimiser } from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import type { Controller } from '../../src/controller/controller.ts';
import type { Policy } from '../../src/controller/policy.ts';
import { movedBaseline } from '../../src/controller/policy-controller.ts';
import { reinforce, reinforceController } from '../../src/controller/reinforce.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { expectDigest } from '../chirp.ts';
import { outlookOf, rewarded } from './outlook.ts';
import { chirpPolicy, lesson, reference } from './peer.ts';
import { smallSpace } from './small-space.ts';

/** Calls `look` with the gradients that it is asked to follow, and changes nothing. */
function onlooker(policy: Policy, look: () => void): Optimiser {
  const clearGradients = (): void => {
    for (const weight of policy.weights.values()) weight.clearGradient();
  };
  return { step: look, scaleLoss: (loss) => loss, clearGradients, state: () => new Map(), restore: () => {} };
}

test('a step follows the gradients that PyTorch gives for the same rewards', () => {
  const policy = chirpPolicy();
  const compared: string[] = [];
  const look = (): void => {
    for (const [name, { gradient }] of policy.weights) {
      if (!gradient) throw new Error(`${name} has no gradient.`);
      expectDigest(gradient, reference.gradients[name], 1e-3);
      compared.push(name);
    }
  };
  const learner = { policy, optimiser: onlooker(policy, look), space: smallSpace };
  reinforce(learner, lesson(0.1));
  expect(compared.sort()).toEqual(Object.keys(reference.gradients).sort());
});

test('the baseline moves by every reward; the first is the mean of the first rewards', () => {
  expect(movedBaseline(reference.old_baseline, reference.rewards, defaultRecipe.controller)).toBeCloseTo(
    reference.baseline,
    12,
  );
  const controller = reinforceController(smallSpace, 1);
  expect(controller.learn(rewarded(reference.children, [0.1, 0.2, 0.3, 0.6]), outlookOf(150))).toBeCloseTo(0.3, 12);
  const second = controller.learn(rewarded(reference.children, [0.5, 0.5, 0.5, 0.5]), outlookOf(150));
  expect(second).toBeCloseTo(movedBaseline(0.3, [0.5, 0.5, 0.5, 0.5], defaultRecipe.controller), 12);
});

test('no gradient is left for the next step', () => {
  const policy = chirpPolicy();
  const optimiser = adam([...policy.weights.values()], { learningRate: 1e-3 });
  reinforce({ policy, optimiser }, lesson(1e-3));
  for (const { gradient } of policy.weights.values()) expect(gradient).toBeUndefined();
});

test('a short search takes larger steps, by the root of the steps that it lacks', () => {
  const moved = (expectedSteps: number): number => {
    const controller = reinforceController(smallSpace, 1);
    const start = (): number => controller.state().tensors.get('policy/bias.0')?.toNumbers()[1] ?? Number.NaN;
    const before = start();
    controller.learn(
      [
        { choices: [0, 0, 0, 0, 0, 0], reward: 0 },
        { choices: [1, 0, 0, 0, 0, 0], reward: 1 },
      ],
      outlookOf(expectedSteps),
    );
    return start() - before;
  };
  // Adam's first step is the rate itself.
  for (const [steps, rate] of [
    [600, 3.5e-4],
    [150, 3.5e-4],
    [15, 3.5e-4 * Math.sqrt(10)],
    [6, 3.5e-4 * 5],
  ])
    expect(moved(steps) / rate).toBeCloseTo(1, 2);
});

/** Updates the controller with `reward` and gives the mean reward and the entropy of every update. */
function train(
  controller: Controller,
  updates: number,
  reward: (child: readonly number[]) => number,
): { readonly rewards: readonly number[]; readonly entropies: readonly number[] } {
  const random = createRandom(7);
  const rewards: number[] = [];
  const entropies: number[] = [];
  for (let update = 0; update < updates; update += 1) {
    const children = controller.proposeForEvaluation(20, random, outlookOf(10));
    const found = children.map(reward);
    rewards.push(found.reduce((sum, value) => sum + value, 0) / found.length);
    entropies.push(controller.distributionOf(children, outlookOf(150))?.entropy ?? Number.NaN);
    controller.learn(rewarded(children, found), outlookOf(150));
  }
  return { rewards, entropies };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('a hundred updates at the rate of ENAS', () => {
  /** Share of the decisions about dilation and skips that are answered by option 1. */
  const wish = (child: readonly number[]): number =>
    child.filter((option, at) => at !== 0 && at !== 2 && option === 1).length / 4;

  test('raise the mean reward and lower the entropy', () => {
    const { rewards, entropies } = train(reinforceController(smallSpace, 1), 100, wish);
    const [first, last] = [rewards.slice(0, 10), rewards.slice(-10)].map(meanOf);
    // A uniform policy is right at 1/3, 1/3 or 1/2 and twice at 1/2: about 0.43.
    expect(first).toBeLessThan(0.55);
    expect(last).toBeGreaterThan(0.75);
    expect(meanOf(entropies.slice(-10))).toBeLessThan(meanOf(entropies.slice(0, 10)) - 1);
  });

  test('by rewards that are all the same change hardly anything, and leave no tensors behind', () => {
    const controller = reinforceController(smallSpace, 1);
    train(controller, 2, () => 0.5);
    const before = memory().tensors;
    const { entropies } = train(controller, 20, () => 0.5);
    expect(Math.abs(entropies[19] - entropies[0])).toBeLessThan(0.05);
    expect(memory().tensors).toBe(before);
  });
});
