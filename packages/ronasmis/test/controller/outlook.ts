import type { Choices, Outlook, RewardedChild } from '../../src/controller/controller.ts';

/** How a search of so many controller steps begins. */
export function outlookOf(expectedSteps: number, done = 0): Outlook {
  return { expectedSteps, done };
}

/** Children with these rewards. */
export function rewarded(children: readonly Choices[], rewards: readonly number[]): readonly RewardedChild[] {
  return children.map((choices, index) => ({ choices, reward: rewards[index] }));
}
