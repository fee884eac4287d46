import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Known, type RunState, type Standing, stateOf, taken, unknown } from 'ronasmis/report';
import { isAtWork, type RunUpdate, watchRun } from 'ronasmis/run';

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
