import type { TestData } from './data.ts';
import type { Python } from './peer.ts';

/** What every topic is given. */
export interface Bench {
  /** Undefined where RONASMIS_PEERS names none. */
  readonly python: Python | undefined;
  readonly data: TestData;
  /** Every topic is measured, and all of them together must not take long: the slowest do less. */
  readonly whole: boolean;
  /** A folder that is removed at the end. */
  readonly temporary: string;
  /** The run that `search` left, for `predict`. */
  finishedRun?: string;
}

/** A line on standard error, where everything goes that is no result. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The Python where it has this module; else says which rows are left out. */
export function pythonWith({ python }: Bench, module: string, rows: string): Python | undefined {
  if (python?.modules.has(module)) return python;
  say(`Left out: ${rows}, for ${python ? `${python.path} has no ${module}` : 'RONASMIS_PEERS names no Python'}.`);
  return undefined;
}
