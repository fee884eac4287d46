import type { StudyRecord, StudyResults } from '../../src/run/study-record.ts';

const names = ['auto', 'reinforce', 'ppo', 'evolution', 'near-base', 'random', 'fixed'];

/** A study of three seeds with figures that a reader can follow; `lead` is by how much the first is ahead of the others. */
export function studyContent(lead: { readonly low: number; readonly high: number } | null, tauP = 0.02) {
  const record: StudyRecord = {
    version: '0.1.0',
    created: '2026-11-24T21:04:11.123Z',
    settings: {
      data_set: '/data/Kid<neys>',
      time_seconds: 120,
      epochs: null,
      children: 20,
      folds: 5,
      fold: 0,
      side_by_side: 1,
      device: 'auto',
      precision: 'auto',
    },
    engine: { device: 'cpu', precision: 'fp32' },
    joules: { 'auto-1': 5400 },
  };
  const results: StudyResults = {
    seeds: 3,
    test_cases: 42,
    contestants: names.map((name, place) => ({
      name,
      test_dice: { count: 3, mean: 0.86 - 0.01 * place, deviation: 0.0123 },
      runs: [1, 2, 3].map((seed) => ({
        run: `${name}-${seed}`,
        seed,
        test_dice: 0.84 + 0.01 * seed - 0.01 * place,
        validation_dice: 0.85,
        seconds: 120,
        training_seconds: 90,
        evaluation_seconds: 20,
        joules: place === 0 ? 5400 : null,
        controller_steps: 4,
      })),
      best_reward: [30, 60, 90, 120].map((seconds) => ({
        seconds,
        mean: 0.8 + seconds / 2000,
        lowest: 0.78 + seconds / 2000,
        highest: 0.81 + seconds / 2000,
      })),
    })),
    comparisons: names.slice(1).map((other) => ({
      other,
      difference: lead === null ? 0.01 : (lead.low + lead.high) / 2,
      interval: lead,
      p: 0.0123,
      p_holm: 0.0492,
    })),
    alone: {
      children: Array.from({ length: 12 }, (_, i) => ({
        run: `alone-${i + 1}`,
        reward: 0.7 + 0.01 * i,
        validation_dice: 0.8 + 0.005 * ((i * 5) % 12),
        test_dice: 0.79 + 0.005 * ((i * 5) % 12),
      })),
      with_validation: { tau: 0.31, p: 0.18 },
      with_test: { tau: 0.55, p: tauP },
    },
    contributions: [
      {
        choice: 'dilation, encoder level 4',
        options: [
          { value: '1', children: 40, mean: 0.012, standard_error: 0.002 },
          { value: '3', children: 20, mean: -0.024, standard_error: 0.003 },
        ],
      },
    ],
  };
  return { record, results };
}
