import { formatFigure } from '../base/figures.ts';
import type { CompareRecord, CompareResults, SystemResult } from '../run/compare-record.ts';
import { formatBytes, formatCount, formatDice, formatSeconds } from './format.ts';
import { formatInterval, formatProbability, points } from './study-verdict.ts';

/** Rows of the table of a comparison that belong together: a name, and a cell for each system. */
export interface TableSection {
  readonly title: string;
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

const dash = '–';
const orDash = <Value>(value: Value | null | undefined, format: (value: Value) => string): string =>
  value === null || value === undefined ? dash : format(value);
const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no');

/** What is told of each system, as a table has it whose columns are the systems: on a page, or in a terminal. */
export function compareTable(
  { hardware }: Pick<CompareRecord, 'hardware'>,
  results: CompareResults,
): readonly TableSection[] {
  const { systems } = results;
  const row = (name: string, cellOf: (system: SystemResult) => string) => ({ name, cells: systems.map(cellOf) });
  const figure = <Value>(
    name: string,
    pick: (figures: NonNullable<SystemResult['figures']>) => Value | null | undefined,
    format: (value: Value) => string,
  ) => row(name, ({ figures }) => orDash(figures && pick(figures), format));
  const classes = [...new Set(systems.flatMap(({ figures }) => Object.keys(figures?.classes ?? {})))];
  return [
    {
      title: 'Dice, %',
      rows: [
        ...classes.map((label) =>
          figure(results.class_names[label] ?? `label ${label}`, (figures) => figures.classes[label], formatDice),
        ),
        figure('mean', ({ dice }) => dice, formatDice),
        row('± between seeds', ({ seed_deviation }) => orDash(seed_deviation, formatDice)),
        row('± between folds', ({ fold_deviation }) => orDash(fold_deviation, formatDice)),
      ],
    },
    {
      title: 'Surfaces',
      rows: [
        figure(
          'HD95, mm',
          ({ hd95_mm }) => hd95_mm,
          (millimetres) => millimetres.toFixed(2),
        ),
        figure(`NSD at ${results.tolerance_mm} mm, %`, ({ nsd }) => nsd, formatDice),
      ],
    },
    ...againstReference(results),
    {
      title: "As in the paper's Table 2",
      rows: [
        row('augmentation', ({ traits }) => traits.augmentation ?? 'no'),
        row('ensemble', ({ traits }) => yesOrNo(traits.ensemble)),
        row('test-time augmentation', ({ traits }) => yesOrNo(traits.test_time_augmentation)),
        row('post-processing', ({ traits }) => yesOrNo(traits.post_processing)),
        row('trained on', ({ figures }) => (figures === null ? dash : hardware)),
        row('inference', ({ traits }) => traits.inference),
      ],
    },
    {
      title: 'Cost, the mean of the runs',
      rows: [
        figure('training', ({ training_seconds }) => training_seconds, formatSeconds),
        figure('prediction, a case', ({ prediction_seconds_per_case }) => prediction_seconds_per_case, formatSeconds),
        figure('peak memory in training', ({ peak_memory_bytes }) => peak_memory_bytes, formatBytes),
        figure('parameters', ({ parameters }) => parameters, formatCount),
        figure('joules of training', ({ joules }) => joules, formatFigure),
        row('runs finished', ({ runs }) => `${runs.length} of ${results.folds.length * results.seeds}`),
      ],
    },
  ];
}

/** How far the reference is ahead of each other system; none where there is no other. */
function againstReference({ systems, reference, comparisons }: CompareResults): readonly TableSection[] {
  if (comparisons.length === 0) return [];
  const row = (name: string, format: (comparison: CompareResults['comparisons'][number]) => string) => ({
    name,
    cells: systems.map((system) =>
      orDash(
        comparisons.find(({ other }) => other === system.name),
        format,
      ),
    ),
  });
  return [
    {
      title: `${reference} less this one`,
      rows: [
        row('points of Dice', ({ difference }) => points(difference)),
        row('95 % interval over runs', (comparison) => formatInterval(comparison).replace(/^-$/, dash)),
        row('p over cases', ({ p }) => formatProbability(p)),
        row('p corrected', ({ p_holm }) => formatProbability(p_holm)),
      ],
    },
  ];
}
