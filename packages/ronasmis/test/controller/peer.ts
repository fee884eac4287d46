import { readFileSync } from 'node:fs';
import { createPolicy, type Policy } from '../../src/controller/policy.ts';
import type { Lesson } from '../../src/controller/policy-controller.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { type Digest, fillWithChirp } from '../chirp.ts';
import { smallSpace } from './small-space.ts';

interface Reference {
  readonly children: readonly (readonly number[])[];
  readonly log_probabilities: readonly number[];
  readonly entropies: readonly number[];
  readonly rewards: readonly number[];
  readonly old_baseline: number;
  readonly baseline: number;
  readonly gradients: Record<string, Digest>;
  readonly ppo: {
    readonly objective: number;
    readonly gradient: readonly (readonly number[])[];
    readonly learning_rate: number;
    readonly moves: Record<string, Digest>;
  };
}

/** Values of PyTorch 2.15.0, written by reference/controller.py, which says what they are. */
export const reference: Reference = JSON.parse(
  readFileSync(new URL('../reference/controller.json', import.meta.url), 'utf8'),
);

/** What the rewards of the reference are above its baseline. */
export const referenceAdvantages = reference.rewards.map((reward) => reward - reference.baseline);

/** A policy of the small space with the weights of reference/controller.py, far from uniform. */
export function chirpPolicy(): Policy {
  const policy = createPolicy(smallSpace, 0, defaultRecipe.controller);
  [...policy.weights].forEach(([name, weight], position) => {
    const scale = name.startsWith('bias') ? 1 / 250 : 1 / 2;
    fillWithChirp(weight, position, (value) => value * scale);
  });
  return policy;
}

/** What the reference's rewards teach at this rate, its children being drawn as the policy is. */
export function lesson(learningRate: number): Lesson {
  return { children: reference.children, advantages: referenceAdvantages, sharpness: 1, learningRate };
}
