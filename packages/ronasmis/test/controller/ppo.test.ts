import { adam, keep, memory, scope, subtract, type Tensor, tensor } from '@ronasmis/libtorch';
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { clippedObjective, ppoController, proximalUpdate } from '../../src/controller/ppo.ts';
import { reinforce } from '../../src/controller/reinforce.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { chirp, expectDigest } from '../chirp.ts';
import { outlookOf, rewarded } from './outlook.ts';
import { chirpPolicy, lesson, reference, referenceAdvantages } from './peer.ts';
import { smallSpace } from './small-space.ts';

/** Of four children and six decisions, as in the reference, whose rows are children [decisions, children]. */
function madeUp(phase: number): Tensor {
  const rows = chirp([4, 6], phase, (value) => value * 0.4 - 1).toNumbers();
  return keep(() =>
    tensor(
      Float32Array.from(rows, (_, index) => rows[(index % 4) * 6 + Math.floor(index / 4)]),
      [6, 4],
    ),
  );
}

test('the objective and its gradient are those of PyTorch', () => {
  const logProbabilities = madeUp(0);
  logProbabilities.requiresGradient = true;
  scope(() => {
    const objective = clippedObjective(
      logProbabilities,
      madeUp(1),
      tensor(Float32Array.from(referenceAdvantages), [4]),
      defaultRecipe.controller.ppo_clipping,
    );
    objective.backward();
    expect(objective.item()).toBeCloseTo(reference.ppo.objective, 6);
  });
  const gradient = logProbabilities.gradient?.toNumbers() ?? [];
  expect(gradient).toHaveLength(24);
  gradient.forEach((value, index) => {
    expect(value).toBeCloseTo(reference.ppo.gradient[index % 4][Math.floor(index / 4)], 6);
  });
});

test('an update moves the weights as PyTorch does', () => {
  const [policy, before] = [chirpPolicy(), chirpPolicy()];
  const { moves, learning_rate } = reference.ppo;
  const optimiser = adam([...policy.weights.values()], { learningRate: 1 });
  const learner = { policy, optimiser };
  proximalUpdate(learner, lesson(learning_rate));
  expect([...policy.weights.keys()].sort()).toEqual(Object.keys(moves).sort());
  scope(() => {
    for (const [name, weight] of policy.weights) {
      const old = before.weights.get(name);
      if (!old) throw new Error(`There was no ${name}.`);
      expectDigest(subtract(weight, old), moves[name], 1e-2);
      expect(weight.gradient).toBeUndefined();
    }
  });
});

test('its first pass follows the gradient of REINFORCE', () => {
  const firstGradients = (update: typeof reinforce): number[] => {
    const policy = chirpPolicy();
    const passes: number[][] = [];
    const optimiser = {
      ...adam([...policy.weights.values()], { learningRate: 1 }),
      step: () => passes.push([...policy.weights.values()].flatMap((weight) => weight.gradient?.toNumbers() ?? [])),
    };
    update({ policy, optimiser }, lesson(1));
    return passes[0];
  };
  const expected = firstGradients(reinforce);
  const largest = Math.max(...expected.map(Math.abs));
  firstGradients(proximalUpdate).forEach((value, index) => {
    expect(Math.abs(value - expected[index])).toBeLessThan(1e-5 * largest);
  });
});

test('an update leaves no tensors behind', () => {
  const controller = ppoController(smallSpace, 1);
  const learn = () =>
    controller.learn(
      rewarded(controller.proposeForEvaluation(4, createRandom(1), outlookOf(10)), [0.1, 0.2, 0.3, 0.6]),
      outlookOf(10),
    );
  learn();
  const before = memory().tensors;
  learn();
  expect(memory().tensors).toBe(before);
});
