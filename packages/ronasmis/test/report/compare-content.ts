import { compareResults } from '../../src/compare/results.ts';
import type { CompareExample } from '../../src/report/compare-page.ts';
import { chooseSlices, sliceAt } from '../../src/report/slices.ts';
import type { CompareRecord, CompareResults, ScoredRun } from '../../src/run/compare-record.ts';
import { fakeSystem } from '../compare/fake-system.ts';

const labels = [
  { value: 0, name: 'background' },
  { value: 1, name: 'gland' },
];

/** A run whose Dice is `best` in case a, 0.1 less in b and 0.2 less in c. */
const run = (system: string, seed: number, best: number, seconds: number): ScoredRun => ({
  state: 'finished',
  system,
  fold: 0,
  seed,
  training_seconds: seconds,
  prediction_seconds: 6,
  peak_memory_bytes: system === 'ours' ? 2 ** 30 : null,
  parameters: 1_260_000,
  cases: Object.fromEntries(
    ['a', 'b', 'c'].map((name, i) => [
      name,
      {
        1: {
          dice: best - 0.1 * i,
          hd95_mm: i === 2 ? null : 3.5,
          nsd: 0.5,
          prediction_mm3: 10,
          reference_mm3: 10,
          false_positive_mm3: 1,
        },
      },
    ]),
  ),
});

/** A comparison of two systems with one run each, and of a third that failed. */
export function compareContent(): { readonly record: CompareRecord; readonly results: CompareResults } {
  const record: CompareRecord = {
    version: '0.1.0',
    created: '2026-11-29T10:00:00.000Z',
    settings: {
      data_set: '/data/Kid<neys>',
      time_seconds: 120,
      epochs: null,
      folds: 5,
      device: 'auto',
      precision: 'auto',
    },
    engine: { device: 'cpu', precision: 'fp32' },
    hardware: 'A processor, 2 threads',
    joules: { 'ours-fold0-seed1': 5400, 'theirs-fold0-seed1': null },
    runs: {
      'ours-fold0-seed1': run('ours', 1, 0.9, 120),
      'theirs-fold0-seed1': run('theirs', 1, 0.8, 3600),
      'broken-fold0-seed1': {
        state: 'failed',
        system: 'broken',
        fold: 0,
        seed: 1,
        message: '--python: <none> is there.',
        is_defect: false,
      },
    },
  };
  const systems = [
    fakeSystem('ours', { title: 'Ours & co' }),
    fakeSystem('theirs', {
      title: 'Theirs',
      traits: {
        augmentation: null,
        ensemble: true,
        testTimeAugmentation: false,
        postProcessing: true,
        inference: 'weighted overlapped patches',
      },
    }),
    fakeSystem('broken', { title: 'Broken' }),
  ];
  return {
    record,
    results: compareResults(record, { systems, folds: [0], seeds: 1, labelling: { labels, regions: [] } }),
  };
}

/** A case that two systems have segmented: the right way, and nothing at all. */
export function compareExample(): CompareExample {
  const shape = [8, 6, 6] as const;
  const reference = Uint8Array.from({ length: 8 * 36 }, (_, i) => (i % 36 > 13 && i % 36 < 17 ? 1 : 0));
  const image = Float32Array.from({ length: 8 * 36 }, (_, i) => i % 7);
  const volume = { image, reference, shape, spacing: [3, 1, 1] } as const;
  const slices = chooseSlices(volume);
  const as = (prediction: Uint8Array) => slices.map(({ number }) => sliceAt({ ...volume, prediction }, number - 1));
  return {
    name: 'b',
    classes: ['gland'],
    slices,
    systems: [
      { system: 'ours', dice: 1, slices: as(reference) },
      { system: 'theirs', dice: null, slices: as(new Uint8Array(reference.length)) },
    ],
  };
}
