import fc from 'fast-check';
import { expect, it } from 'vitest';
import { controllerNames } from '../../src/controller/controllers.ts';
import {
  childrenAlone,
  contestants,
  epochsAlone,
  pickChildren,
  plannedAlone,
  plannedContests,
  searchOptions,
  trainingOptions,
} from '../../src/study/plan.ts';
import { tinyContext } from '../search/tiny-context.ts';

it('compares every controller that there is, and the base architecture last', () => {
  expect(contestants.map(({ controller, space }) => [controller, space])).toEqual([
    ...controllerNames.map((name) => [name, 'macro']),
    ['auto', 'fixed'],
  ]);
  const planned = plannedContests({ seeds: 3, children: 20, folds: 5, fold: 0 });
  expect(new Set(planned.map(({ name }) => name)).size).toBe(3 * contestants.length);
  // Children that are trained alone are chosen from more than others judge.
  expect(planned.flatMap(({ name, lastChildren }) => (lastChildren === undefined ? [] : [name, lastChildren]))).toEqual(
    ['random-1', 60, 'random-2', 60, 'random-3', 60],
  );
});

it('runs every contestant on every fold where none is chosen', () => {
  const planned = plannedContests({ seeds: 2, children: 20, folds: 3 });
  expect(planned).toHaveLength(2 * 3 * contestants.length);
  expect(planned.find(({ name }) => name === 'ppo-fold2-1')).toMatchObject({ controller: 'ppo', fold: 2, seed: 1 });
});

it('begins with a contestant that evaluates as many children at a step as any: its time suffices for all', () => {
  const [first, ...others] = plannedContests({ seeds: 2, children: 20, folds: 5, fold: 0 });
  const most = others.map(({ lastChildren = 20 }) => lastChildren);
  expect(first.lastChildren).toBe(60);
  expect(Math.max(...most)).toBeLessThanOrEqual(60);
});

it('trains children alone for about as long, together, as three searches', () => {
  const { base } = tinyContext.space;
  for (const steps of [12, 61, 150]) {
    const alone = plannedAlone(
      Array.from({ length: childrenAlone }, () => base),
      { patch: base.patch, epochs: epochsAlone(steps), fold: 0 },
    );
    const together = alone.reduce((sum, { epochs }) => sum + epochs, 0);
    expect(Math.abs(together - 3 * steps)).toBeLessThanOrEqual(childrenAlone / 2);
  }
  expect(epochsAlone(1.4)).toBe(1);
});

it('picks children evenly over the range of their rewards', () => {
  const evaluated = (rewards: readonly number[]) =>
    rewards.map((reward, i) => {
      const child = tinyContext.space.base;
      return { reward, architecture: { ...child, patch: { ...child.patch, depth: 16 * (i + 1) } } };
    });
  const rewardsOf = (rewards: readonly number[], most: number) =>
    pickChildren(evaluated(rewards), most).map(({ reward }) => reward);
  expect(rewardsOf([0.5, 0.51, 0.52, 0.53, 0.54, 0.9, 0.69, 0.1], 3)).toEqual([0.1, 0.5, 0.9]);
  expect(rewardsOf([0.3, 0.2], 12)).toEqual([0.2, 0.3]);
  expect(rewardsOf([0.7, 0.7, 0.7], 2)).toEqual([0.7, 0.7]);
  const any = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(any, fc.integer({ min: 2, max: 12 }), (rewards, most) => {
      const picked = rewardsOf(rewards, most);
      expect(picked).toHaveLength(Math.min(most, rewards.length));
      expect(picked).toEqual([...picked].sort((a, b) => a - b));
      expect([picked[0], picked.at(-1)]).toEqual([Math.min(...rewards), Math.max(...rewards)]);
    }),
  );
});

it('limits contests by time, and children alone by controller steps', () => {
  const shared = { folds: 3, fold: 0, device: 'cpu', precision: 'fp32' } as const;
  const timed = { dataSet: 'Boxes', out: 'study', seeds: 2, children: 3, sideBySide: 1, timeSeconds: 90, ...shared };
  const contest = { name: 'ppo-1', controller: 'ppo', space: 'macro', seed: 1, fold: 2 } as const;
  expect(searchOptions(timed, contest)).toMatchObject({ timeSeconds: 90, controller: 'ppo', fold: 2 });
  const { base } = tinyContext.space;
  const [alone] = plannedAlone([base], { patch: base.patch, epochs: 7, fold: 0 });
  const limits = trainingOptions(timed, alone);
  expect(limits.epochs).toBe(7);
  expect(limits.timeSeconds).toBeUndefined();
});
