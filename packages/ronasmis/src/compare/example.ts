import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mean } from '../base/statistics.ts';
import type { DataSet } from '../data/dataset.ts';
import { caseMean, spreadOf } from '../evaluation/summary.ts';
import type { CompareExample } from '../report/compare-page.ts';
import { chooseSlices, sliceAt } from '../report/slices.ts';
import type { CompareRecord, CompareResults } from '../run/compare-record.ts';
import { labelMapIn } from './label-maps.ts';
import { openCase } from './opened-case.ts';

/** A case of one fold, and what each system's first seed there says of it. */
export interface TypicalCase {
  readonly name: string;
  /** The systems' mean Dice. */
  readonly dice: number;
  readonly runs: readonly { readonly system: string; readonly run: string; readonly dice: number | null }[];
}

/**
 * The case at the median of the systems' mean Dice, each a mean over its runs, among those that all systems with any run have segmented;
 * undefined where there is none.
 */
export function typicalCase({ runs }: CompareRecord, { systems }: CompareResults): TypicalCase | undefined {
  const finished = systems
    .filter((system) => system.runs.length > 0)
    .map(({ name, runs: figures }) => ({
      system: name,
      runs: figures.flatMap(({ run }) => {
        const outcome = runs[run];
        return outcome?.state === 'finished' ? [{ run, cases: outcome.cases }] : [];
      }),
    }));
  const names = new Set(finished.flatMap((one) => one.runs.flatMap(({ cases }) => Object.keys(cases))));
  const ranked = [...names]
    .flatMap((name): readonly TypicalCase[] => {
      const bySystem = finished.flatMap(({ system, runs: ofSystem }) => {
        const having = ofSystem.filter(({ cases }) => name in cases);
        const dice = having.map(({ cases }) => diceOf(cases[name]));
        return having.length === 0 ? [] : [{ system, run: having[0].run, dice: spreadOf(dice)?.mean ?? null }];
      });
      const known = bySystem.flatMap(({ dice }) => dice ?? []);
      if (bySystem.length < finished.length || known.length === 0) return [];
      return [{ name, dice: mean(known), runs: bySystem }];
    })
    .sort((a, b) => b.dice - a.dice || (a.name < b.name ? -1 : 1));
  return ranked[Math.floor((ranked.length - 1) / 2)];
}

const diceOf = (classes: Readonly<Record<string, { readonly dice: number | null }>>): number | null =>
  caseMean(Object.fromEntries(Object.entries(classes).map(([label, { dice }]) => [label, dice])));

/** Three slices of the typical case, as the scan, the label map and each system have them; undefined where files of it are gone. */
export async function exampleOf(
  out: string,
  { cases, labels }: Pick<DataSet, 'cases' | 'labels'>,
  record: CompareRecord,
  results: CompareResults,
): Promise<CompareExample | undefined> {
  const typical = typicalCase(record, results);
  const entry = cases.find(({ name }) => name === typical?.name);
  const opened = entry && (await openCase(entry, { labels }));
  if (typical === undefined || opened === undefined) return undefined;
  const { volume, predictionOf } = opened;
  const slices = chooseSlices(volume);
  const segmented = await Promise.all(
    typical.runs.map(async ({ system, run, dice }) => {
      const file = labelMapIn(join(out, run), typical.name);
      if (!existsSync(file)) return [];
      const prediction = await predictionOf(file);
      return { system, dice, slices: slices.map(({ number }) => sliceAt({ ...volume, prediction }, number - 1)) };
    }),
  );
  return { name: typical.name, classes: labels.slice(1).map(({ name }) => name), slices, systems: segmented.flat() };
}
