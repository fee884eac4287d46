import type { Progress, SearchReport } from '../run/records.ts';
import type { Architecture } from '../space/architecture.ts';
import { interruptible } from './interrupt.ts';
import { note, printJson } from './output.ts';
import { printRun } from './show.ts';

type Hooks = { readonly signal: AbortSignal; readonly onProgress: (progress: Progress) => void };
type Result = { readonly report: SearchReport; readonly architecture: Architecture };

/** Runs a new or resumed search under a progress view and Ctrl-C, and prints what it found. */
export async function runSearch(folder: string, json: boolean, work: (hooks: Hooks) => Promise<Result>): Promise<void> {
  const { openProgress } = await import('./progress.ts');
  const view = openProgress();
  const result = await interruptible(`Go on with: ronasmis resume ${folder}`, (signal) =>
    work({ signal, onProgress: view.update }).finally(view.stop),
  );
  if (json) {
    printJson({ run: folder, report: result.report, architecture: result.architecture });
    return;
  }
  note('');
  await printRun(folder);
}
