import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import {
  type Budget,
  expectedSteps,
  hasTimeForStep,
  mustStopTraining,
  requireOneStep,
  secondsLeft,
  trainedFraction,
} from '../../src/search/budget.ts';

/** A budget whose clock stands still at `elapsed` seconds. */
function budgetAt(elapsed: number, limit: Partial<Budget['limit']>, overrides: Partial<Budget> = {}): Budget {
  return {
    limit: { epochs: Number.POSITIVE_INFINITY, seconds: Number.POSITIVE_INFINITY, ...limit },
    durations: { train: 1, judge: 5, final: 10 },
    trainingSteps: 20,
    elapsed: () => elapsed,
    ...overrides,
  };
}

const seconds = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const anyBudget = fc
  .record({
    elapsed: seconds(0.001, 5000),
    epochs: fc.option(fc.integer({ min: 1, max: 500 }), { nil: Number.POSITIVE_INFINITY }),
    limit: fc.option(seconds(1, 5000), { nil: Number.POSITIVE_INFINITY }),
    train: seconds(0.001, 10),
    judge: seconds(0.001, 100),
    final: seconds(0.001, 100),
    trainingSteps: fc.integer({ min: 1, max: 200 }),
  })
  .map(({ elapsed, epochs, limit, train, judge, final, trainingSteps }) =>
    budgetAt(elapsed, { epochs, seconds: limit }, { durations: { train, judge, final }, trainingSteps }),
  );

/** Runs a search's loop on a clock of its own, where a training step takes `train` seconds, whatever was expected. */
function simulate(limit: Budget['limit'], durations: Budget['durations'], train: number, trainingSteps: number) {
  let now = 0;
  const budget = { limit, durations: { ...durations }, trainingSteps, elapsed: () => now };
  requireOneStep(budget);
  let step = 0;
  for (; hasTimeForStep(budget, step); step += 1) {
    let done = 0;
    for (; done < trainingSteps && !(done > 0 && mustStopTraining(budget)); done += 1) now += train;
    now += durations.judge;
  }
  return { step, now: now + durations.final };
}

describe('a search on the clock', () => {
  it('ends within its time, but for one training step, even where training is slower or faster than expected', () => {
    const runs = fc.record({
      limit: seconds(30, 2000),
      train: seconds(0.01, 2),
      judge: seconds(0.01, 5),
      final: seconds(0.01, 5),
      slowness: seconds(0.5, 2),
      trainingSteps: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(runs, ({ limit, train, judge, final, slowness, trainingSteps }) => {
        fc.pre(train * trainingSteps + judge + final < limit - 1);
        const ended = simulate(
          { epochs: Number.POSITIVE_INFINITY, seconds: limit },
          { train, judge, final },
          train * slowness,
          trainingSteps,
        );
        expect(ended.step).toBeGreaterThanOrEqual(1);
        expect(ended.now).toBeLessThanOrEqual(limit + train * slowness + 1e-6);
        // And it uses its time: what is left would not have held a quarter of another step's training.
        expect(limit - ended.now).toBeLessThanOrEqual(0.25 * train * trainingSteps + judge + 1e-6);
      }),
    );
  });

  it('ends after its epochs where they come first', () => {
    const durations = { train: 1, judge: 2, final: 3 };
    expect(simulate({ epochs: 4, seconds: Number.POSITIVE_INFINITY }, durations, 1, 10)).toEqual({ step: 4, now: 51 });
    expect(simulate({ epochs: 4, seconds: 27 }, durations, 1, 10)).toEqual({ step: 2, now: 27 });
  });
});

it('tells how much of the training is done by what comes first', () => {
  expect(trainedFraction(budgetAt(0.5, { epochs: 4 }), 1, 10)).toBe(1.5 / 4);
  // Of 100 s, 5 s are for judging and 10 s for the end.
  expect(trainedFraction(budgetAt(17, { seconds: 100 }), 0, 0)).toBe(17 / 85);
  expect(trainedFraction(budgetAt(17, { seconds: 100, epochs: 4 }), 3, 0)).toBe(0.75);
  expect(trainedFraction(budgetAt(90, { seconds: 100, epochs: 4 }), 3, 0)).toBe(1);
});

it('keeps the fraction within 0 and 1 and the seconds left above 0, whatever the clock says', () => {
  fc.assert(
    fc.property(anyBudget, fc.nat({ max: 600 }), seconds(0, 1), (budget, step, share) => {
      const done = Math.floor(share * budget.trainingSteps);
      const fraction = trainedFraction(budget, step, done);
      expect(fraction).toBeGreaterThanOrEqual(0);
      expect(fraction).toBeLessThanOrEqual(1);
      expect(secondsLeft(budget, step, done)).toBeGreaterThanOrEqual(0);
      expect(expectedSteps(budget, step)).toBeGreaterThanOrEqual(1);
      if (Number.isFinite(budget.limit.seconds) && budget.elapsed() < budget.limit.seconds) {
        expect(secondsLeft(budget, step, done)).toBeLessThanOrEqual(budget.limit.seconds - budget.elapsed());
      }
    }),
  );
});

it('counts the seconds that are left', () => {
  // Two more steps of 20 training steps and 5 s of judging, less 4 training steps done, and the end.
  expect(secondsLeft(budgetAt(77, { epochs: 5 }), 3, 4)).toBe(2 * 25 - 4 + 10);
  expect(secondsLeft(budgetAt(77, { seconds: 100 }), 3, 4)).toBe(23);
  expect(secondsLeft(budgetAt(101, { seconds: 100 }), 3, 4)).toBe(0);
});

it('expects the steps that fit into the time', () => {
  expect(expectedSteps(budgetAt(35, { seconds: 100 }), 1)).toBe(1 + (85 - 35) / 25);
  expect(expectedSteps(budgetAt(35, { seconds: 100, epochs: 2 }), 1)).toBe(2);
});

it('refuses a time that is too small for one controller step and says how much would do', () => {
  const tooShort = () => requireOneStep(budgetAt(3, { seconds: 37 }));
  expect(tooShort).toThrow(UserError);
  expect(tooShort).toThrow(/^--time 37s is too short: .* take about 38 s .*--time 46s, .*--children\.$/);
  expect(() => requireOneStep(budgetAt(3, { seconds: 38 }))).not.toThrow();
});
