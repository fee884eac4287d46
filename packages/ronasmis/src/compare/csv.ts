import { csvColumns, quoted } from '../evaluation/evaluate.ts';
import type { CompareRecord, CompareResults } from '../run/compare-record.ts';

/** Every score of the runs that have finished, a line a run, case and class; empty where a score is undefined. */
export function comparisonCsv({ runs }: CompareRecord, { systems }: CompareResults): string {
  const lines = systems.flatMap(({ name: system, runs: figures }) =>
    figures.flatMap(({ run, fold, seed }) => {
      const outcome = runs[run];
      if (outcome?.state !== 'finished') return [];
      return Object.entries(outcome.cases).flatMap(([name, classes]) =>
        Object.entries(classes).map(([label, scores]) =>
          [system, fold, seed, quoted(name), quoted(label), ...csvColumns.map((column) => scores[column] ?? '')].join(),
        ),
      );
    }),
  );
  return `${[['system', 'fold', 'seed', 'case', 'class', ...csvColumns].join(), ...lines].join('\n')}\n`;
}
