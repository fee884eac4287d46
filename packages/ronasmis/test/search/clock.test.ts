import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import {
  type Clock,
  childrenPerStep,
  enterFullResolution,
  expectedTrainingSteps,
  hasTimeForStep,
  hasTrainedEnough,
  isCoarse,
  isLastStep,
  isWarmUp,
  mustStopEvaluating,
  outlookOf,
  requireOneStep,
  scheduledFraction,
  secondsLeft,
  sufficesForCoarse,
  trainedFraction,
} from '../../src/search/clock.ts';

const none = Number.POSITIVE_INFINITY;

/** A clock that stands still at `elapsed` seconds. */
function clockAt(elapsed: number, limit: Partial<Clock['limit']>, overrides: Partial<Clock> = {}): Clock {
  return {
    limit: { epochs: none, seconds: none, ...limit },
    recipe: defaultRecipe,
    durations: { train: 1, evaluate: 0.5, final: 10 },
    trainingSteps: 20,
    children: 10,
    different: 10,
    compared: 0,
    step: 0,
    elapsed: () => elapsed,
    ...overrides,
  };
}

const seconds = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const anyClock = fc
  .record({
    elapsed: seconds(0.001, 5000),
    epochs: fc.option(fc.integer({ min: 1, max: 500 }), { nil: none }),
    limit: fc.option(seconds(1, 5000), { nil: none }),
    durations: fc.record({
      train: seconds(0.001, 10),
      evaluate: seconds(0.001, 10),
      final: seconds(0.001, 100),
    }),
    trainingSteps: fc.integer({ min: 1, max: 200 }),
    children: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ elapsed, epochs, limit, ...rest }) =>
    clockAt(elapsed, { epochs, seconds: limit }, { ...rest, different: rest.children }),
  );

/** What the parts of a search take. */
type Parts = Clock['durations'];

interface Simulated {
  readonly limit: Clock['limit'];
  readonly expected: Parts;
  /** What the parts take, whatever was expected. */
  readonly real: Parts;
  readonly trainingSteps: number;
  readonly children: number;
}

/** Runs a search's loop on a clock of its own. */
function simulate({ limit, expected, real, trainingSteps, children }: Simulated) {
  let now = 0;
  const durations = { ...expected };
  const counts = { trainingSteps, children, different: children, compared: 0, step: 0 };
  const clock: Clock = { limit, recipe: defaultRecipe, durations, ...counts, elapsed: () => now };
  requireOneStep(clock);
  const trained: number[] = [];
  const evaluated: number[] = [];
  for (; hasTimeForStep(clock); clock.step += 1) {
    let done = 0;
    for (; done === 0 || !hasTrainedEnough(clock, done); done += 1) now += real.train;
    durations.train = real.train;
    const wanted = isLastStep(clock) ? children : childrenPerStep(clock);
    let count = 0;
    for (; count < wanted && !(count > 0 && mustStopEvaluating(clock)); count += 1) now += real.evaluate;
    durations.evaluate = real.evaluate;
    trained.push(done);
    evaluated.push(count);
  }
  // Children that the last step proposed and left aside, thinking that another one followed.
  for (let rest = children - (evaluated.at(-1) ?? 0); rest > 0 && !mustStopEvaluating(clock); rest -= 1)
    now += real.evaluate;
  return { trained, evaluated, now: now + real.final };
}

describe('a search on the clock', () => {
  const durations = fc.record({ train: seconds(0.01, 2), evaluate: seconds(0.01, 1), final: seconds(0.01, 5) });
  const runs = fc.record({
    seconds: seconds(30, 2000),
    expected: durations,
    slowness: seconds(0.5, 2),
    trainingSteps: fc.integer({ min: 1, max: 100 }),
    children: fc.integer({ min: 1, max: 20 }),
  });

  it('uses its time and ends within it, even where training and evaluation are slower or faster than expected', () => {
    fc.assert(
      fc.property(runs, ({ seconds, expected, slowness, trainingSteps, children }) => {
        const { train, evaluate, final } = expected;
        fc.pre(train * trainingSteps + evaluate * children + final < seconds - 1);
        const real = { train: train * slowness, evaluate: evaluate * slowness, final };
        const limit = { epochs: none, seconds };
        const ended = simulate({ limit, expected, real, trainingSteps, children });
        expect(ended.trained.length).toBeGreaterThanOrEqual(1);
        // But for one child's evaluation that runs into the end; or for a training step, and what the first evaluation takes longer than expected.
        const unforeseen = Math.max(0, real.evaluate - evaluate);
        expect(ended.now).toBeLessThanOrEqual(seconds + Math.max(real.evaluate, real.train + unforeseen) + 1e-6);
        // What evaluation leaves that was faster than expected, or was thought to be followed by a step, is used for a step if there is a
        // tenth of one in it.
        const reserved =
          evaluate * children * Math.max(0, 1 - slowness) + real.evaluate * (ended.evaluated.at(-1) ?? 0);
        const rest = 0.1 * Math.max(train, real.train) * trainingSteps;
        expect(seconds - ended.now).toBeLessThanOrEqual(reserved + rest + 1e-6);
      }),
    );
  });

  it('evaluates as many children as are wanted in its last step, and before it no more than is half of its training', () => {
    const parts = { train: 1, evaluate: 2, final: 5 };
    const limit = { epochs: none, seconds: 200 };
    const { trained, evaluated, now } = simulate({
      limit,
      expected: parts,
      real: parts,
      trainingSteps: 40,
      children: 20,
    });
    // Twice 40 s of training and 20 s of evaluation; then 35 s of training, 40 s of evaluation and 5 s for the end.
    expect(evaluated).toEqual([10, 10, 20]);
    expect(trained).toEqual([40, 40, 35]);
    expect(now).toBe(200);
  });

  it('ends after its epochs where they come first', () => {
    const parts = { train: 1, evaluate: 1, final: 3 };
    const run = { expected: parts, real: parts, trainingSteps: 10, children: 2 };
    const ofEpochs = { trained: [10, 10, 10, 10], evaluated: [2, 2, 2, 2], now: 51 };
    expect(simulate({ ...run, limit: { epochs: 4, seconds: none } })).toEqual(ofEpochs);
    expect(simulate({ ...run, limit: { epochs: 4, seconds: 1000 } })).toEqual(ofEpochs);
    expect(simulate({ ...run, limit: { epochs: 4, seconds: 30 } })).toEqual({
      trained: [10, 13],
      evaluated: [2, 2],
      now: 30,
    });
  });
});

it('evaluates every child at every step where there is no time limit, so that one seed decides', () => {
  const dear = { durations: { train: 0.01, evaluate: 100, final: 1 } };
  expect(childrenPerStep(clockAt(1, { epochs: 3 }, dear))).toBe(10);
  expect(childrenPerStep(clockAt(1, { seconds: 5000 }, dear))).toBe(4);
  expect(childrenPerStep(clockAt(1, { seconds: 5000 }, { ...dear, children: 2 }))).toBe(2);
});

it('keeps time to tell in the end what was gained, at most a hundredth', () => {
  const enough = (elapsed: number, evaluate: number): boolean =>
    hasTrainedEnough(
      clockAt(elapsed, { seconds: 1000 }, { different: 1, compared: 4, durations: { train: 1, evaluate, final: 10 } }),
      0,
    );
  expect([987.4, 987.5].map((elapsed) => enough(elapsed, 0.5))).toEqual([false, true]);
  expect([929.9, 930].map((elapsed) => enough(elapsed, 50))).toEqual([false, true]);
});

it('tells how much of the training is done by what comes first', () => {
  expect(trainedFraction(clockAt(0.5, { epochs: 4 }, { step: 1 }), 10)).toBe(1.5 / 4);
  // Of 100 s, 5 s are for evaluation and 10 s for the end.
  expect(trainedFraction(clockAt(17, { seconds: 100 }))).toBe(17 / 85);
  expect(trainedFraction(clockAt(17, { seconds: 100, epochs: 4 }, { step: 3 }))).toBe(0.75);
  expect(trainedFraction(clockAt(90, { seconds: 100, epochs: 4 }, { step: 3 }))).toBe(1);
});

it('the rate goes by the step, but by the epoch where a recipe says how long one is and a run how many there are', () => {
  const training = { ...defaultRecipe.training, steps_per_epoch: 20 };
  const at = (limit: Partial<Clock['limit']>, isByEpoch: boolean) => {
    const clock = clockAt(0.5, limit, { step: 1 });
    return scheduledFraction(isByEpoch ? { ...clock, recipe: { ...defaultRecipe, training } } : clock, 10);
  };
  expect(at({ epochs: 4 }, false)).toBe(1.5 / 4);
  expect(at({ epochs: 4 }, true)).toBe(1 / 4);
  expect(at({ epochs: 4, seconds: 100 }, true)).toBe(1.5 / 4);
});

it('keeps the fraction within 0 and 1 and the seconds left above 0, whatever the clock says', () => {
  fc.assert(
    fc.property(anyClock, fc.nat({ max: 600 }), seconds(0, 1), (given, step, share) => {
      const clock = { ...given, step };
      const done = Math.floor(share * clock.trainingSteps);
      const fraction = trainedFraction(clock, done);
      expect(fraction).toBeGreaterThanOrEqual(0);
      expect(fraction).toBeLessThanOrEqual(1);
      expect(secondsLeft(clock, { trained: done, evaluated: 0 })).toBeGreaterThanOrEqual(0);
      expect(outlookOf(clock).expectedSteps).toBeGreaterThanOrEqual(1);
      if (Number.isFinite(clock.limit.seconds) && clock.elapsed() < clock.limit.seconds) {
        expect(secondsLeft(clock, { trained: done, evaluated: 0 })).toBeLessThanOrEqual(
          clock.limit.seconds - clock.elapsed(),
        );
      }
    }),
  );
});

it('counts the seconds that are left', () => {
  // Two more steps of 20 training steps and 5 s of evaluation, less what is done, and the end.
  const fourth = clockAt(77, { epochs: 5 }, { step: 3 });
  expect(secondsLeft(fourth, { trained: 4, evaluated: 0 })).toBe(2 * 25 - 4 + 10);
  expect(secondsLeft(fourth, { trained: 20, evaluated: 6 })).toBe(2 * 25 - 20 - 3 + 10);
  expect(secondsLeft(clockAt(77, { seconds: 100 }), { trained: 4, evaluated: 0 })).toBe(23);
  expect(secondsLeft(clockAt(101, { seconds: 100 }), { trained: 4, evaluated: 0 })).toBe(0);
});

it('expects of every step that is left as many different children as the running one has', () => {
  // Two steps of 20 s and a child of half a second; then the end.
  const decided = clockAt(77, { epochs: 10 }, { step: 8, different: 1 });
  expect(secondsLeft(decided, { trained: 0, evaluated: 0 })).toBe(2 * (20 + 0.5) + 10);
  expect(secondsLeft(decided, { trained: 20, evaluated: 1 })).toBe(20 + 0.5 + 10);
});

it('expects the steps that fit into the time', () => {
  expect(outlookOf(clockAt(35, { seconds: 100 }, { step: 1 }))).toMatchObject({
    expectedSteps: 1 + (85 - 35) / 25,
    done: 35 / 85,
  });
  expect(outlookOf(clockAt(35, { seconds: 100, epochs: 2 }, { step: 1 }))).toMatchObject({
    expectedSteps: 2,
    done: 0.5,
  });
});

it('refuses a time that is too small for one controller step and says how much would do', () => {
  const tooShort = () => requireOneStep(clockAt(3, { seconds: 37 }));
  expect(tooShort).toThrow(UserError);
  expect(tooShort).toThrow(/^--time 37s is too short: .* take about 38 s .*--time 46s, .*--children\.$/);
  expect(() => requireOneStep(clockAt(3, { seconds: 38 }))).not.toThrow();
  const alone = () => requireOneStep({ ...clockAt(3, { seconds: 10 }), children: 1 });
  expect(alone).toThrow(/, the shortest training and the report take .*, better several times that\.$/);
});

describe('a search with a coarse part', () => {
  const later = { train: 4, evaluate: 2 };

  it('has one where two controller steps or more follow it', () => {
    const suffices = (epochs: number, seconds: number): boolean =>
      sufficesForCoarse({ epochs, seconds }, 20, { ...later, final: 10 }, defaultRecipe);
    expect(suffices(4, none)).toBe(true);
    expect(suffices(3, none)).toBe(false);
    // Two steps of 20 trainings and an evaluation each, and the end: half of the time.
    expect(suffices(none, 2 * (2 * 82 + 10))).toBe(true);
    expect(suffices(none, 2 * (2 * 82 + 10) - 1)).toBe(false);
    expect(suffices(3, 10_000)).toBe(false);
  });

  it('is coarse for its share of the epochs or of the time', () => {
    const coarse = [0, 1, 2, 3, 4, 5, 6].map((step) => isCoarse(clockAt(35, { epochs: 7 }, { later, step })));
    expect(coarse).toEqual([true, true, true, true, false, false, false]);
    // Training ends after 85 s.
    expect(isCoarse(clockAt(42, { seconds: 100 }, { later, step: 1 }))).toBe(true);
    expect(isCoarse(clockAt(43, { seconds: 100 }, { later, step: 1 }))).toBe(false);
    expect(isCoarse(clockAt(42, { seconds: 100 }, { step: 1 }))).toBe(false);
  });

  it('is all that the controller is told of', () => {
    const at = (elapsed: number, step: number) => outlookOf(clockAt(elapsed, { seconds: 210 }, { later, step }));
    // Training ends after 195 s, the coarse part after 97.5; a step takes 25.
    expect(at(0, 0)).toEqual({ expectedSteps: 97.5 / 25, done: 0 });
    expect(at(50, 2)).toMatchObject({ expectedSteps: 2 + 47.5 / 25 });
    expect(at(50, 2).done).toBeCloseTo(100 / 195, 12);
    expect([at(0, 0), at(24, 1), at(25, 1)].map((outlook) => isWarmUp({ recipe: defaultRecipe }, outlook))).toEqual([
      true,
      true,
      false,
    ]);
    expect(at(150, 5)).toEqual({ expectedSteps: 5, done: 1 });
  });

  it('expects the training steps of both parts', () => {
    expect(expectedTrainingSteps(clockAt(0, { epochs: 10 }))).toBe(200);
    expect(expectedTrainingSteps(clockAt(0, { epochs: 10 }, { later }))).toBe(200);
    expect(expectedTrainingSteps(clockAt(0, { seconds: 210 }, { later }))).toBe((97.5 / 25) * 20 + 97.5 / 4);
  });

  it('knows what the steps take that are not coarse', () => {
    // Five coarse steps of 20 s of training and ten evaluations, five others; then the end.
    const first = clockAt(0, { epochs: 10 }, { later });
    expect(secondsLeft(first, { trained: 0, evaluated: 0 })).toBe(5 * (20 + 5) + 5 * (80 + 20) + 10);
    const decided = clockAt(0, { epochs: 10 }, { later, different: 1 });
    expect(secondsLeft(decided, { trained: 0, evaluated: 0 })).toBe(5 * (20 + 0.5) + 5 * (80 + 2) + 10);
    // Later steps are what the durations are of.
    const sixth = clockAt(0, { epochs: 10 }, { later, step: 5 });
    expect(secondsLeft(sixth, { trained: 0, evaluated: 0 })).toBe(5 * (20 + 5) + 10);
  });

  it('uses its time and ends within it, whatever its steps take', () => {
    const parts = fc.record({
      train: seconds(0.01, 1),
      evaluate: seconds(0.01, 0.5),
      ratio: seconds(1, 8),
      slowness: seconds(0.7, 1.4),
    });
    fc.assert(
      fc.property(parts, seconds(60, 2000), ({ train, evaluate, ratio, slowness }, limit) => {
        const full = { train: train * ratio, evaluate: evaluate * ratio };
        fc.pre(sufficesForCoarse({ epochs: none, seconds: limit }, 20, { ...full, final: 10 }, defaultRecipe));
        let now = 0;
        const clock = {
          ...clockAt(0, { seconds: limit }, { later: full }),
          durations: { train, evaluate, final: 10 },
          elapsed: () => now,
        };
        const kinds: boolean[] = [];
        for (; hasTimeForStep(clock); clock.step += 1) {
          const isThinned = isCoarse(clock);
          if (!isThinned && kinds.at(-1)) enterFullResolution(clock);
          const real = isThinned ? { train, evaluate } : full;
          for (let done = 0; done === 0 || !hasTrainedEnough(clock, done); done += 1) now += real.train * slowness;
          const wanted = isLastStep(clock) ? clock.children : childrenPerStep(clock);
          for (let count = 0; count < wanted && !(count > 0 && mustStopEvaluating(clock)); count += 1)
            now += real.evaluate * slowness;
          Object.assign(clock.durations, { train: real.train * slowness, evaluate: real.evaluate * slowness });
          kinds.push(isThinned);
        }
        expect(kinds[0]).toBe(true);
        expect(kinds.at(-1)).toBe(false);
        expect(kinds).toEqual([...kinds].sort((one, other) => Number(other) - Number(one)));
        expect(now + 10).toBeLessThanOrEqual(
          limit + slowness * (full.train + full.evaluate) + Math.max(0, slowness - 1) * full.evaluate * 10,
        );
      }),
    );
  });
});
