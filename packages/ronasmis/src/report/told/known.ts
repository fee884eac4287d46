import type { Architecture } from '../../architecture/architecture.ts';
import type { SearchEvent } from '../../run/event.ts';
import type { RunProgress } from '../../run/progress.ts';
import type { SearchReport } from '../../run/report.ts';
import type { RunRecord } from '../../run/run-record.ts';
import type { RunUpdate } from '../../run/watch.ts';
import { figuresOf, keptChildren } from './children.ts';
import { type ChoiceRecorder, createChoiceRecorder } from './choice-history.ts';
import type { ChildFigures, Row } from './messages.ts';
import { rowOf } from './rows.ts';

/** What is known of a run, as far as its folder was read. */
export interface Known {
  /** Of what was read from the folder's beginning; another one makes void what was told before. */
  readonly generation: number;
  run: RunRecord | null;
  progress: RunProgress | null;
  report: SearchReport | null;
  architecture: Architecture | null;
  readonly rows: Row[];
  children: ChildFigures[];
  readonly choices: ChoiceRecorder;
  /** The last step that evaluated children, without what the rest keeps. */
  lastEvaluated: SearchEvent | null;
  last: SearchEvent | null;
  outOfMemory: number;
}

/** Nothing, before anything was read. */
export function unknown(generation: number): Known {
  const nothing = { run: null, progress: null, report: null, architecture: null, lastEvaluated: null, last: null };
  return { ...nothing, generation, rows: [], children: [], choices: createChoiceRecorder(), outOfMemory: 0 };
}

/** What is known after an update, which is what was known before, changed: it may be long. */
export function taken(known: Known, update: Exclude<RunUpdate, { kind: 'run' }>): Known {
  switch (update.kind) {
    case 'progress':
      known.progress = update.progress;
      return known;
    case 'finished':
      known.report = update.report;
      known.architecture = update.architecture;
      return known;
    case 'event':
      return withEvent(known, update.event);
  }
}

function withEvent(before: Known, event: SearchEvent): Known {
  const last = before.rows.at(-1);
  // A killed search that goes on makes a step again: what came of it before is void.
  const isAgain = last !== undefined && event.step <= last.step;
  const isEarlier = ({ step }: { readonly step: number }): boolean => step < event.step;
  const known = isAgain
    ? {
        ...before,
        generation: before.generation + 1,
        rows: before.rows.filter(isEarlier),
        children: before.children.filter(isEarlier),
      }
    : before;
  known.rows.push(rowOf(event));
  known.children.push(...figuresOf(event));
  known.children = keptChildren(known.children);
  known.choices.add(event);
  known.outOfMemory += event.out_of_memory;
  known.last = event;
  if (event.children.length > 0) known.lastEvaluated = event;
  return known;
}
