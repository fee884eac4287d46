import {
  adam,
  add,
  meanAll,
  multiply,
  multiplyScalar,
  negate,
  type Optimiser,
  scope,
  tensor,
} from '@ronasmis/libtorch';
import type { SearchSpace } from '../space/macro.ts';
import { type Choices, createPolicy, type Policy, scoreChildren } from './policy.ts';

/**
 * Share of the old baseline that is left after one more reward. ENAS has 0.95 or more; but while the shared weights learn,
 * all rewards rise from step to step, and a baseline that lags behind would praise every child.
 */
const baselineDecay = 0.85;
/** Weight of the entropy bonus (ENAS). */
const entropyWeight = 1e-4;

/** A policy and what trains it. */
export interface Controller {
  readonly policy: Policy;
  readonly optimiser: Optimiser;
  /** Moving average of the rewards; undefined before the first. */
  baseline: number | undefined;
}

export function createController(space: SearchSpace, seed: number): Controller {
  const policy = createPolicy(space, seed);
  return { policy, optimiser: adam([...policy.values()], { learningRate: 0 }), baseline: undefined };
}

/**
 * One step of REINFORCE (Williams 1992) with a moving-average baseline and an entropy bonus, as ENAS trains its controller:
 * raises the probability of children in proportion to reward - baseline.
 *
 * @param rewards validation Dice of each child, fractions
 * @returns the mean entropy of the policy over these children before the update, in nats
 */
export function reinforce(
  controller: Controller,
  space: SearchSpace,
  children: readonly Choices[],
  rewards: readonly number[],
  learningRate: number,
): number {
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const kept = baselineDecay ** rewards.length;
  const baseline = kept * (controller.baseline ?? mean) + (1 - kept) * mean;
  controller.baseline = baseline;
  return scope(() => {
    const { logProbability, entropy } = scoreChildren(controller.policy, space, children);
    const advantages = tensor(
      Float32Array.from(rewards, (reward) => reward - baseline),
      [rewards.length],
    );
    const meanEntropy = meanAll(entropy);
    const objective = add(meanAll(multiply(logProbability, advantages)), multiplyScalar(meanEntropy, entropyWeight));
    negate(objective).backward();
    controller.optimiser.step(learningRate);
    controller.optimiser.clearGradients();
    return meanEntropy.item();
  });
}
