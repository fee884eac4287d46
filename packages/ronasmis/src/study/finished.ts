import { UserError } from '../base/errors.ts';
import type { Contest } from '../compare/paired.ts';
import type { DiceSummary } from '../evaluation/summary.ts';
import type { RunFiles } from '../run/read-run.ts';
import type { SearchReport } from '../run/report.ts';

/** A run folder of a search that has ended. */
export type FinishedRun = RunFiles & { readonly report: SearchReport };

/** A run that must have ended. */
export function finishedRun(files: RunFiles): FinishedRun {
  const { report } = files;
  if (report === undefined) throw new Error(`${files.folder} has not finished.`);
  return { ...files, report };
}

/** A search that has nothing to score has found nothing. */
export const worthOf = (dice: DiceSummary): number => dice.mean ?? 0;

/** @throws UserError where the data set has changed between runs */
export function requireOneDataSet(runs: readonly RunFiles[]): void {
  const other = runs.find(({ run }) => run.fingerprint.sha256 !== runs[0].run.fingerprint.sha256);
  if (other === undefined) return;
  throw new UserError(
    `The data set has changed between ${runs[0].folder} and ${other.folder}, so they can't be compared: study it again in a new folder.`,
  );
}

/** Runs as they are compared with those of others: seed by seed and fold by fold. */
export function contestOf(name: string, runs: readonly FinishedRun[]): Contest {
  return {
    name,
    runs: new Map(
      runs.map(({ run, report }) => [
        `${run.settings.seed} ${run.settings.fold}`,
        { worth: worthOf(report.test_dice), cases: report.test_dice.cases },
      ]),
    ),
  };
}
