import type { Team } from '../ranks/team.ts';
import { formatBytes } from '../report/format.ts';
import type { SearchHooks, SearchResult } from '../search/search.ts';
import { interruptible, quietly } from './interrupt.ts';
import { coloursOf, note, printJson } from './output.ts';
import type { ProgressView } from './progress.ts';
import { printRun } from './show.ts';

/** So many warnings are said before a search. */
const maxWarnings = 10;

/** A search whose progress is shown, and how it is printed. */
export interface ShownSearch {
  readonly folder: string;
  readonly json: boolean;
  /** The ranks that share it: the first one shows it, the others say nothing but what is wrong. */
  readonly team: Team;
}

/** Runs a new or resumed search under a progress view and Ctrl-C, and prints what it found. */
export async function runSearch(
  { folder, json, team }: ShownSearch,
  work: (hooks: SearchHooks) => Promise<SearchResult>,
): Promise<void> {
  if (!team.isFirst) {
    await quietly((signal) => work({ signal }));
    return;
  }
  const { openProgress } = await import('./progress.ts');
  const view = openProgress();
  const result = await interruptible(`Go on with: ronasmis resume ${folder}`, (signal) =>
    work({
      signal,
      onProgress: view.update,
      onStart: (start) => announce(view, start),
      onWarning: warner(view),
    }).finally(view.stop),
  );
  if (json) {
    printJson({ run: folder, report: result.report, architecture: result.architecture });
    return;
  }
  note('');
  await printRun(folder);
}

/** Says what the search or the training runs on, and what is odd. */
export function announce(
  view: ProgressView,
  { isSearch, engine, memory, note = '', warnings }: Parameters<NonNullable<SearchHooks['onStart']>>[0],
): void {
  const warn = warner(view);
  warnings.slice(0, maxWarnings).forEach(warn);
  if (warnings.length > maxWarnings) warn(`and ${warnings.length - maxWarnings} more, which inspect lists.`);
  const size = `${formatBytes(memory.expectedBytes)} of memory expected, ${formatBytes(memory.budgetBytes)} at most`;
  const what = `${isSearch ? 'Searching' : 'Training'} on ${engine.device} in ${engine.precision}`;
  view.say(`${what} (${engine.cpu}, ${engine.threads} threads), ${size}`);
  if (note !== '') view.say(note);
}

/** Says a warning above the progress. */
export function warner(view: ProgressView): (sentence: string) => void {
  const { yellow } = coloursOf(process.stderr);
  return (sentence) => view.say(yellow(`warning: ${sentence}`));
}
