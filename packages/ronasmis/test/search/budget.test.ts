import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import {
  type Budget,
  childrenPerStep,
  enterFullResolution,
  expectedTrainingSteps,
  hasTimeForStep,
  hasTrainedEnough,
  isCoarse,
  isLastStep,
  mustStopJudging,
  outlookOf,
  requireOneStep,
  secondsLeft,
  sufficesForCoarse,
  trainedFraction,
} from '../../src/search/budget.ts';

const none = Number.POSITIVE_INFINITY;

/** A budget whose clock stands still at `elapsed` seconds. */
function budgetAt(elapsed: number, limit: Partial<Budget['limit']>, overrides: Partial<Budget> = {}): Budget {
  return {
    limit: { epochs: none, seconds: none, ...limit },
    durations: { train: 1, cheapTrain: 1, judge: 0.5, final: 10 },
    trainingSteps: 20,
    children: 10,
    distinctChildren: 10,
    decidedAfter: 1,
    elapsed: () => elapsed,
    ...overrides,
  };
}

const seconds = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const anyBudget = fc
  .record({
    elapsed: seconds(0.001, 5000),
    epochs: fc.option(fc.integer({ min: 1, max: 500 }), { nil: none }),
    limit: fc.option(seconds(1, 5000), { nil: none }),
    durations: fc.record({
      train: seconds(0.001, 10),
      cheapTrain: seconds(0.001, 10),
      judge: seconds(0.001, 10),
      final: seconds(0.001, 100),
    }),
    trainingSteps: fc.integer({ min: 1, max: 200 }),
    children: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ elapsed, epochs, limit, ...rest }) =>
    budgetAt(elapsed, { epochs, seconds: limit }, { ...rest, distinctChildren: rest.children }),
  );

/** What a search on the clock goes by: what its steps get to cost is only told. */
type Parts = Omit<Budget['durations'], 'cheapTrain'>;

interface Simulated {
  readonly limit: Budget['limit'];
  readonly expected: Parts;
  /** What the parts take, whatever was expected. */
  readonly real: Parts;
  readonly trainingSteps: number;
  readonly children: number;
}

/** Runs a search's loop on a clock of its own. */
function simulate({ limit, expected, real, trainingSteps, children }: Simulated) {
  let now = 0;
  const durations = { ...expected, cheapTrain: expected.train };
  const budget = {
    limit,
    durations,
    trainingSteps,
    children,
    distinctChildren: children,
    decidedAfter: 1,
    elapsed: () => now,
  };
  requireOneStep(budget);
  const trained: number[] = [];
  const judged: number[] = [];
  for (let step = 0; hasTimeForStep(budget, step); step += 1) {
    let done = 0;
    for (; done === 0 || !hasTrainedEnough(budget, step, done); done += 1) now += real.train;
    durations.train = real.train;
    const wanted = isLastStep(budget, step) ? children : childrenPerStep(budget);
    let count = 0;
    for (; count < wanted && !(count > 0 && mustStopJudging(budget)); count += 1) now += real.judge;
    durations.judge = real.judge;
    trained.push(done);
    judged.push(count);
  }
  // Children that the last step proposed and left aside, thinking that another one followed.
  for (let rest = children - (judged.at(-1) ?? 0); rest > 0 && !mustStopJudging(budget); rest -= 1) now += real.judge;
  return { trained, judged, now: now + real.final };
}

describe('a search on the clock', () => {
  const durations = fc.record({ train: seconds(0.01, 2), judge: seconds(0.01, 1), final: seconds(0.01, 5) });
  const runs = fc.record({
    seconds: seconds(30, 2000),
    expected: durations,
    slowness: seconds(0.5, 2),
    trainingSteps: fc.integer({ min: 1, max: 100 }),
    children: fc.integer({ min: 1, max: 20 }),
  });

  it('uses its time and ends within it, even where training and judging are slower or faster than expected', () => {
    fc.assert(
      fc.property(runs, ({ seconds, expected, slowness, trainingSteps, children }) => {
        const { train, judge, final } = expected;
        fc.pre(train * trainingSteps + judge * children + final < seconds - 1);
        const real = { train: train * slowness, judge: judge * slowness, final };
        const limit = { epochs: none, seconds };
        const ended = simulate({ limit, expected, real, trainingSteps, children });
        expect(ended.trained.length).toBeGreaterThanOrEqual(1);
        // But for one child's judging that runs into the end; or for a training step, and what the first judging takes longer than expected.
        const unforeseen = Math.max(0, real.judge - judge);
        expect(ended.now).toBeLessThanOrEqual(seconds + Math.max(real.judge, real.train + unforeseen) + 1e-6);
        // What judging leaves that was faster than expected, or was thought to be followed by a step, is used for a step if there is a
        // tenth of one in it.
        const reserved = judge * children * Math.max(0, 1 - slowness) + real.judge * (ended.judged.at(-1) ?? 0);
        const rest = 0.1 * Math.max(train, real.train) * trainingSteps;
        expect(seconds - ended.now).toBeLessThanOrEqual(reserved + rest + 1e-6);
      }),
    );
  });

  it('judges as many children as are wanted in its last step, and before it no more than is half of its training', () => {
    const parts = { train: 1, judge: 2, final: 5 };
    const limit = { epochs: none, seconds: 200 };
    const { trained, judged, now } = simulate({ limit, expected: parts, real: parts, trainingSteps: 40, children: 20 });
    // Twice 40 s of training and 20 s of judging; then 35 s of training, 40 s of judging and 5 s for the end.
    expect(judged).toEqual([10, 10, 20]);
    expect(trained).toEqual([40, 40, 35]);
    expect(now).toBe(200);
  });

  it('ends after its epochs where they come first', () => {
    const parts = { train: 1, judge: 1, final: 3 };
    const run = { expected: parts, real: parts, trainingSteps: 10, children: 2 };
    const ofEpochs = { trained: [10, 10, 10, 10], judged: [2, 2, 2, 2], now: 51 };
    expect(simulate({ ...run, limit: { epochs: 4, seconds: none } })).toEqual(ofEpochs);
    expect(simulate({ ...run, limit: { epochs: 4, seconds: 1000 } })).toEqual(ofEpochs);
    expect(simulate({ ...run, limit: { epochs: 4, seconds: 30 } })).toEqual({
      trained: [10, 13],
      judged: [2, 2],
      now: 30,
    });
  });
});

it('judges every child at every step where there is no time limit, so that one seed decides', () => {
  const dear = { durations: { train: 0.01, cheapTrain: 0.01, judge: 100, final: 1 } };
  expect(childrenPerStep(budgetAt(1, { epochs: 3 }, dear))).toBe(10);
  expect(childrenPerStep(budgetAt(1, { seconds: 5000 }, dear))).toBe(4);
  expect(childrenPerStep(budgetAt(1, { seconds: 5000 }, { ...dear, children: 2 }))).toBe(2);
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
      expect(secondsLeft(budget, step, { trained: done, judged: 0 })).toBeGreaterThanOrEqual(0);
      expect(outlookOf(budget, step).expectedSteps).toBeGreaterThanOrEqual(1);
      if (Number.isFinite(budget.limit.seconds) && budget.elapsed() < budget.limit.seconds) {
        expect(secondsLeft(budget, step, { trained: done, judged: 0 })).toBeLessThanOrEqual(
          budget.limit.seconds - budget.elapsed(),
        );
      }
    }),
  );
});

it('counts the seconds that are left', () => {
  // Two more steps of 20 training steps and 5 s of judging, less what is done, and the end.
  expect(secondsLeft(budgetAt(77, { epochs: 5 }), 3, { trained: 4, judged: 0 })).toBe(2 * 25 - 4 + 10);
  expect(secondsLeft(budgetAt(77, { epochs: 5 }), 3, { trained: 20, judged: 6 })).toBe(2 * 25 - 20 - 3 + 10);
  expect(secondsLeft(budgetAt(77, { seconds: 100 }), 3, { trained: 4, judged: 0 })).toBe(23);
  expect(secondsLeft(budgetAt(101, { seconds: 100 }), 3, { trained: 4, judged: 0 })).toBe(0);
});

it('knows that a controller which has made up its mind has one child judged', () => {
  const decides = { decidedAfter: 0.5 };
  // Of 10 steps, 2 are done and 3 are before the decision: 3 times 5.5 children and 5 times one, half a second each.
  const before = budgetAt(77, { epochs: 10 }, decides);
  expect(secondsLeft(before, 2, { trained: 0, judged: 0 })).toBe(8 * 20 + (3 * 5.5 + 5) / 2 + 10);
  const after = budgetAt(77, { epochs: 10 }, { ...decides, distinctChildren: 1 });
  expect(secondsLeft(after, 8, { trained: 20, judged: 1 })).toBe(20 + 1 / 2 + 10);
});

it('knows that the children of a controller which makes up its mind get as cheap as the base child', () => {
  const durations = { train: 1, cheapTrain: 0.5, judge: 0.5, final: 10 };
  const decides = { decidedAfter: 0.5, durations, distinctChildren: 1 };
  // Of 10 steps, 2 are done, 3 take 20 s at first and 10 s at last, 5 take 10 s; a child judged in each.
  const before = budgetAt(77, { epochs: 10 }, decides);
  expect(secondsLeft(before, 2, { trained: 0, judged: 0 })).toBe(3 * 15 + 5 * 10 + 8 / 2 + 10);
  // From then on it is measured.
  expect(secondsLeft(before, 8, { trained: 0, judged: 0 })).toBe(2 * 20 + 2 / 2 + 10);
  // One that never does has children as dear as now to the end.
  expect(secondsLeft({ ...before, decidedAfter: 1 }, 8, { trained: 0, judged: 0 })).toBe(2 * 20 + 2 / 2 + 10);
});

it('expects the steps that fit into the time', () => {
  expect(outlookOf(budgetAt(35, { seconds: 100 }), 1)).toMatchObject({
    expectedSteps: 1 + (85 - 35) / 25,
    done: 35 / 85,
  });
  expect(outlookOf(budgetAt(35, { seconds: 100, epochs: 2 }), 1)).toMatchObject({ expectedSteps: 2, done: 0.5 });
});

it('refuses a time that is too small for one controller step and says how much would do', () => {
  const tooShort = () => requireOneStep(budgetAt(3, { seconds: 37 }));
  expect(tooShort).toThrow(UserError);
  expect(tooShort).toThrow(/^--time 37s is too short: .* take about 38 s .*--time 46s, .*--children\.$/);
  expect(() => requireOneStep(budgetAt(3, { seconds: 38 }))).not.toThrow();
});

describe('a search with a coarse part', () => {
  const later = { train: 4, cheapTrain: 4, judge: 2 };
  const coarse = { share: 0.5, later };

  it('has one where two controller steps or more follow it', () => {
    const suffices = (epochs: number, seconds: number): boolean =>
      sufficesForCoarse({ epochs, seconds }, 20, 10, coarse);
    expect(suffices(4, none)).toBe(true);
    expect(suffices(3, none)).toBe(false);
    // Two steps of 20 trainings and a judgement each, and the end: half of the time.
    expect(suffices(none, 2 * (2 * 82 + 10))).toBe(true);
    expect(suffices(none, 2 * (2 * 82 + 10) - 1)).toBe(false);
    expect(suffices(3, 10_000)).toBe(false);
  });

  it('is coarse for its share of the epochs or of the time', () => {
    const ofEpochs = budgetAt(35, { epochs: 7 }, { coarse });
    expect([0, 1, 2, 3, 4, 5, 6].map((step) => isCoarse(ofEpochs, step))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    // Training ends after 85 s.
    expect(isCoarse(budgetAt(42, { seconds: 100 }, { coarse }), 1)).toBe(true);
    expect(isCoarse(budgetAt(43, { seconds: 100 }, { coarse }), 1)).toBe(false);
    expect(isCoarse(budgetAt(42, { seconds: 100 }), 1)).toBe(false);
  });

  it('is all that the controller is told of', () => {
    const at = (elapsed: number, step: number) => outlookOf(budgetAt(elapsed, { seconds: 210 }, { coarse }), step);
    // Training ends after 195 s, the coarse part after 97.5; a step takes 25.
    expect(at(0, 0)).toEqual({ expectedSteps: 97.5 / 25, done: 0, isWarmUp: true });
    expect(at(50, 2)).toMatchObject({ expectedSteps: 2 + 47.5 / 25, isWarmUp: false });
    expect(at(50, 2).done).toBeCloseTo(100 / 195, 12);
    expect(at(150, 5)).toEqual({ expectedSteps: 5, done: 1, isWarmUp: false });
  });

  it('expects the training steps of both parts', () => {
    expect(expectedTrainingSteps(budgetAt(0, { epochs: 10 }))).toBe(200);
    expect(expectedTrainingSteps(budgetAt(0, { epochs: 10 }, { coarse }))).toBe(200);
    expect(expectedTrainingSteps(budgetAt(0, { seconds: 210 }, { coarse }))).toBe((97.5 / 25) * 20 + 97.5 / 4);
  });

  it('knows what the steps take that are not coarse', () => {
    // Five coarse steps of 20 s of training and ten judgements, five others; then the end.
    const never = budgetAt(0, { epochs: 10 }, { coarse });
    expect(secondsLeft(never, 0, { trained: 0, judged: 0 })).toBe(5 * (20 + 5) + 5 * (80 + 20) + 10);
    // A controller that has decided by then has one child judged.
    const decides = { ...never, decidedAfter: 0.5 };
    expect(secondsLeft(decides, 0, { trained: 0, judged: 0 })).toBe(5 * (20 + 5.5 / 2) + 5 * (80 + 2) + 10);
    // Later steps are what the durations are of.
    expect(secondsLeft(never, 5, { trained: 0, judged: 0 })).toBe(5 * (20 + 5) + 10);
  });

  it('uses its time and ends within it, whatever its steps take', () => {
    const parts = fc.record({
      train: seconds(0.01, 1),
      judge: seconds(0.01, 0.5),
      ratio: seconds(1, 8),
      slowness: seconds(0.7, 1.4),
    });
    fc.assert(
      fc.property(parts, seconds(60, 2000), ({ train, judge, ratio, slowness }, limit) => {
        const full = { train: train * ratio, cheapTrain: train * ratio, judge: judge * ratio };
        const given = { share: 0.5, later: full };
        fc.pre(sufficesForCoarse({ epochs: none, seconds: limit }, 20, 10, given));
        let now = 0;
        const budget = {
          ...budgetAt(0, { seconds: limit }, { coarse: given }),
          durations: { train, cheapTrain: train, judge, final: 10 },
          elapsed: () => now,
        };
        const kinds: boolean[] = [];
        for (let step = 0; hasTimeForStep(budget, step); step += 1) {
          const isThinned = isCoarse(budget, step);
          if (!isThinned && kinds.at(-1)) enterFullResolution(budget);
          const real = isThinned ? { train, judge } : full;
          for (let done = 0; done === 0 || !hasTrainedEnough(budget, step, done); done += 1)
            now += real.train * slowness;
          const wanted = isLastStep(budget, step) ? budget.children : childrenPerStep(budget);
          for (let count = 0; count < wanted && !(count > 0 && mustStopJudging(budget)); count += 1)
            now += real.judge * slowness;
          Object.assign(budget.durations, { train: real.train * slowness, judge: real.judge * slowness });
          kinds.push(isThinned);
        }
        expect(kinds[0]).toBe(true);
        expect(kinds.at(-1)).toBe(false);
        expect(kinds).toEqual([...kinds].sort((one, other) => Number(other) - Number(one)));
        expect(now + 10).toBeLessThanOrEqual(
          limit + slowness * (full.train + full.judge) + Math.max(0, slowness - 1) * full.judge * 10,
        );
      }),
    );
  });
});
