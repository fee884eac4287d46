import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kindOf } from 'ronasmis/report';
import {
  type Architecture,
  classNamesOf,
  isAtWork,
  type RunProgress,
  type RunRecord,
  type RunUpdate,
  type SearchEvent,
  type SearchReport,
  watchRun,
} from 'ronasmis/run';
import type { ChildFigures, Row, RunState, RunSummary, Standing } from '../shared/messages.ts';
import { figuresOf, keptChildren } from './children.ts';
import { type ChoiceRecorder, createChoiceRecorder } from './choice-history.ts';
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

/** A run that is followed. */
export interface LiveRun {
  readonly folder: string;
  readonly known: () => Known;
  readonly state: () => RunState;
  /** Calls back, at most twice a second, when something has changed; returns what ends that. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly subscribers: () => number;
  /** Resolves once something of the folder was read, or that takes long. */
  readonly looked: Promise<void>;
  readonly close: () => void;
}

/** Milliseconds that the first telling waits for what is read. */
const patience = 400;
/** Milliseconds between two tellings, and between two looks at what no file says: whether the folder is there and a process works in it. */
const [tellPause, lookPause] = [500, 2000];

/** Follows a run folder until it is closed, whatever becomes of it. */
export function followRun(folder: string): LiveRun {
  const abort = new AbortController();
  const listeners = new Set<() => void>();
  let known = unknown(0);
  let standing: Standing = 'waiting';
  let problem: string | null = null;
  let version = 0;
  let timer: NodeJS.Timeout | undefined;
  const changed = (): void => {
    version += 1;
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const listener of listeners) listener();
    }, tellPause);
  };
  const take = (update: RunUpdate): void => {
    if (update.kind === 'run') known = { ...unknown(known.generation + 1), run: update.run };
    else known = taken(known, update);
    if (update.kind === 'run') void look();
    // These come after the events of a look.
    if (update.kind === 'progress' || update.kind === 'finished') tellLooked();
    changed();
  };
  const look = async (): Promise<void> => {
    const found = await standingOf(folder, known, standing);
    if (found === standing) return;
    standing = found;
    changed();
  };
  let tellLooked = (): void => {};
  const looked = new Promise<void>((resolve) => {
    tellLooked = resolve;
    setTimeout(resolve, patience);
  });
  void look();
  const looking = setInterval(() => void look(), lookPause);
  void (async () => {
    while (!abort.signal.aborted) {
      try {
        for await (const update of watchRun(folder, { signal: abort.signal })) take(update);
        // Finished, or closed: a search that begins anew in this folder is seen by its files.
        problem = null;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        tellLooked();
      }
      changed();
      await changeOf(folder, abort.signal);
    }
  })();
  return {
    folder,
    known: () => known,
    state: () => stateOf(folder, known, { standing, problem, version }),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    subscribers: () => listeners.size,
    looked,
    close: () => {
      abort.abort();
      clearInterval(looking);
      clearTimeout(timer);
      listeners.clear();
    },
  };
}

function unknown(generation: number): Known {
  const nothing = { run: null, progress: null, report: null, architecture: null, lastEvaluated: null, last: null };
  return { ...nothing, generation, rows: [], children: [], choices: createChoiceRecorder(), outOfMemory: 0 };
}

/** What is known after an update, which is what was known before, changed: it may be long. */
function taken(known: Known, update: Exclude<RunUpdate, { kind: 'run' }>): Known {
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

async function standingOf(folder: string, { report, run }: Known, before: Standing): Promise<Standing> {
  const isThere = await stat(join(folder, 'run.json')).then(
    () => true,
    () => false,
  );
  if (!isThere) return run === null && before === 'waiting' ? 'waiting' : 'gone';
  if (run === null) return 'waiting';
  if (report !== null) return 'finished';
  return (await isAtWork(folder).catch(() => false)) ? 'running' : 'stopped';
}

/** Waits until a file of the run is another one than now. */
async function changeOf(folder: string, signal: AbortSignal): Promise<void> {
  const before = await signatureOf(folder);
  while (!signal.aborted && (await signatureOf(folder)) === before) await pause(lookPause, signal);
}

async function signatureOf(folder: string): Promise<string> {
  const files = ['run.json', 'events.jsonl', 'report.json', 'architecture.json', 'progress.json'];
  const times = files.map((file) =>
    stat(join(folder, file)).then(
      ({ mtimeMs, ino }) => `${mtimeMs} ${ino}`,
      () => '',
    ),
  );
  return (await Promise.all(times)).join();
}

/** Waits so long, or until the signal says that nobody waits any more. */
const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal }).catch(() => {});

/** What does not stand in the figures of a run. */
interface Circumstances {
  readonly standing: Standing;
  readonly problem: string | null;
  readonly version: number;
}

function stateOf(folder: string, known: Known, { standing, problem, version }: Circumstances): RunState {
  const { run, report, last, children } = known;
  return {
    folder,
    standing: report !== null && standing !== 'gone' ? 'finished' : standing,
    run: run && summaryOf(run),
    progress: standing === 'running' ? known.progress : null,
    seconds: report?.seconds ?? last?.seconds ?? 0,
    steps: last?.step ?? 0,
    trainingSteps: last?.steps ?? 0,
    children: children.length,
    peakMemory: report?.peak_memory_bytes ?? last?.peak_memory_bytes ?? 0,
    augmented: last?.augmented ?? false,
    coarse: last?.coarse ?? false,
    warnings: warningsOf(known),
    problem,
    result: report && {
      testDice: report.test_dice.mean,
      validationDice: report.validation_dice.mean,
      parameters: report.parameters,
    },
    version,
  };
}

function summaryOf(run: RunRecord): RunSummary {
  const { settings, engine } = run;
  return {
    created: run.created,
    dataSet: settings.data_set,
    kind: kindOf(settings),
    controller: settings.controller,
    space: settings.space,
    system: settings.system ?? null,
    device: `${engine.device}, ${engine.cpu}`,
    precision: engine.precision,
    timeBudget: settings.time_seconds,
    epochBudget: settings.epochs,
    memoryBudget: settings.memory_bytes ?? null,
    fold: settings.fold,
    folds: settings.folds,
    classNames: classNamesOf(run),
  };
}

function warningsOf({ run, outOfMemory }: Known): readonly string[] {
  const left =
    outOfMemory > 0
      ? [`Memory did not suffice for ${outOfMemory} training steps and evaluations, which were left out.`]
      : [];
  return [...(run?.warnings ?? []), ...left];
}
