import { expect, it } from 'vitest';
import { compareResults } from '../../src/compare/results.ts';
import type { CompareRecord, ScoredRun } from '../../src/run/compare-record.ts';
import { fakeSystem } from './fake-system.ts';

const nothing = { prediction_mm3: 1, reference_mm3: 1, false_positive_mm3: 0 };
type Scores = readonly [dice: number | null, hd95: number | null, nsd: number | null];

/** A run with scores of class 1 by case. */
const run = (
  system: string,
  fold: number,
  seed: number,
  cases: Readonly<Record<string, Scores>>,
  own: Partial<ScoredRun> = {},
): ScoredRun => ({
  state: 'finished',
  system,
  fold,
  seed,
  training_seconds: 60,
  prediction_seconds: 4,
  peak_memory_bytes: 2 ** 30,
  parameters: 1000,
  cases: Object.fromEntries(
    Object.entries(cases).map(([name, [dice, hd95_mm, nsd]]) => [name, { 1: { dice, hd95_mm, nsd, ...nothing } }]),
  ),
  ...own,
});

const record: CompareRecord = {
  version: '0.1.0',
  created: '2026-11-29T10:00:00.000Z',
  settings: { data_set: '/data/Boxes', time_seconds: 60, epochs: null, folds: 2, device: 'auto', precision: 'auto' },
  engine: { device: 'cpu', precision: 'fp32' },
  hardware: 'a processor, 2 threads',
  joules: { 'one-fold0-seed1': 100, 'one-fold0-seed2': 300, 'one-fold1-seed1': null, 'one-fold1-seed2': 200 },
  runs: {
    'one-fold0-seed1': run('one', 0, 1, { a: [0.9, 2, 0.8], b: [0.7, 4, 0.6] }),
    'one-fold0-seed2': run('one', 0, 2, { a: [0.8, 3, 0.8], b: [0.6, null, 0] }, { training_seconds: 120 }),
    'one-fold1-seed1': run('one', 1, 1, { c: [0.6, 6, 0.5], d: [null, null, null] }),
    'one-fold1-seed2': run('one', 1, 2, { c: [0.4, 8, 0.3], d: [null, null, null] }),
    'two-fold0-seed1': run('two', 0, 1, { a: [0.5, 9, 0.1], b: [0.5, 9, 0.1] }, { peak_memory_bytes: null }),
    'two-fold0-seed2': {
      state: 'failed',
      system: 'two',
      fold: 0,
      seed: 2,
      message: 'It is too short.',
      is_defect: false,
    },
  },
};
const labelling = {
  labels: [
    { value: 0, name: 'background' },
    { value: 1, name: 'box' },
  ],
  regions: [],
};
const compared = {
  systems: ['one', 'two', 'three'].map((name) => fakeSystem(name)),
  folds: [0, 1],
  seeds: 2,
  labelling,
};
const { systems, ...results } = compareResults(record, compared);
const [one, two, three] = systems;

it('means over cases, then over runs', () => {
  expect(one.runs.map(({ dice }) => dice)).toEqual([0.8, 0.7, 0.6, 0.4].map((dice) => expect.closeTo(dice, 12)));
  expect(one.figures).toMatchObject({
    dice: expect.closeTo((0.8 + 0.7 + 0.6 + 0.4) / 4, 12),
    // Where there is no distance, none counts: 3, 3, 6 and 8 by run.
    hd95_mm: 5,
    nsd: expect.closeTo((0.7 + 0.4 + 0.5 + 0.3) / 4, 12),
    training_seconds: 75,
    prediction_seconds_per_case: 2,
    parameters: 1000,
  });
  expect(one.figures?.classes['1']).toBeCloseTo(0.625, 12);
  expect(results).toMatchObject({ test_cases: 4, class_names: { 1: 'box' }, reference: 'one', tolerance_mm: 1 });
});

it('tells the spread between seeds apart from that between folds', () => {
  // Within the folds 0.8, 0.7 and 0.6, 0.4: squares about their means 0.005 and 0.02, of one degree of freedom each.
  expect(one.seed_deviation).toBeCloseTo(Math.sqrt(0.025 / 2), 12);
  // Between 0.75 and 0.5.
  expect(one.fold_deviation).toBeCloseTo(0.25 / Math.SQRT2, 12);
  expect(two).toMatchObject({ seed_deviation: null, fold_deviation: null });
});

it('does not know of all what it does not know of one', () => {
  expect(one.figures).toMatchObject({ joules: null, peak_memory_bytes: 2 ** 30 });
  expect(two.figures).toMatchObject({ joules: null, peak_memory_bytes: null });
  expect(compareResults(record, { ...compared, folds: [0] }).systems[0].figures?.joules).toBe(200);
});

it('counts structures that have no distance, but not those that are nowhere', () => {
  expect([one.without_distance, two.without_distance]).toEqual([1, 0]);
});

it('compares runs of the same fold and seed, and has failures and systems without any run', () => {
  expect(results.comparisons).toEqual([
    { other: 'two', difference: expect.closeTo(0.3, 12), interval: null, p: 0.5, p_holm: 0.5 },
  ]);
  expect(two.failures).toEqual([{ run: 'two-fold0-seed2', message: 'It is too short.', is_defect: false }]);
  expect(three).toMatchObject({ title: 'The three', figures: null, runs: [], failures: [] });
  expect(three.traits).toMatchObject({ augmentation: 'mirrored', test_time_augmentation: true, inference: 'one shot' });
  expect(compareResults({ ...record, runs: {} }, compared)).toMatchObject({ reference: null, comparisons: [] });
});

it('is of the systems, folds and seeds that are asked for alone', () => {
  const narrow = compareResults(record, { ...compared, systems: [fakeSystem('one')], folds: [1], seeds: 1 });
  expect(narrow.systems.map(({ runs }) => runs.map((one) => one.run))).toEqual([['one-fold1-seed1']]);
  expect(narrow.test_cases).toBe(2);
});
