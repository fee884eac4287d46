import { statSync, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Architecture, architectureSchema } from '../architecture/architecture.ts';
import { codeOf } from '../base/errors.ts';
import { fixable } from '../base/files.ts';
import type { SearchEvent } from './event.ts';
import { progressSchema, type RunProgress } from './progress.ts';
import { parseEvents, readRecord } from './read-run.ts';
import { reportSchema, type SearchReport } from './report.ts';
import { type RunRecord, runSchema } from './run-record.ts';

/** What is new in a run folder. */
export type RunUpdate =
  /** The search has passed its checks, or another one has begun in its place: what was told before is void. */
  | { readonly kind: 'run'; readonly run: RunRecord }
  /** A controller step is finished. One of the same number as before replaces it: a killed search that goes on makes a step again. */
  | { readonly kind: 'event'; readonly event: SearchEvent }
  /** How far it is; null once it has stopped in good order. */
  | { readonly kind: 'progress'; readonly progress: RunProgress | null }
  /** The end: the search has left its network. */
  | { readonly kind: 'finished'; readonly report: SearchReport; readonly architecture: Architecture };

/** How a run folder is watched. */
export interface WatchOptions {
  /** Ends the watching, quietly. */
  readonly signal?: AbortSignal;
  /** Seconds between two looks where the system tells of no change: while there is no folder, and on network disks. 2 by default. */
  readonly pollSeconds?: number;
}

const defaultPollSeconds = 2;
/** Several files change at about the same time: one look takes in all. */
const settleMilliseconds = 50;
/** Bytes of events that are read at once. */
const partBytes = 2 ** 19;
const watchedNames = ['run.json', 'events.jsonl', 'progress.json', 'report.json'] as const;

/**
 * Follows a search from its run folder, in whatever process or on whatever machine it runs: first all that is there, then what comes, until the
 * search has finished or `signal` says so. The folder need not be there yet. Nothing in it is changed, and a search does not wait for who
 * watches it.
 *
 * @example
 * for await (const update of watchRun('runs/prostate')) {
 *   if (update.kind === 'event') console.log(update.event.step, update.event.reward_max);
 * }
 * @throws UserError where a file is damaged or can't be read
 */
export async function* watchRun(folder: string, options: WatchOptions = {}): AsyncGenerator<RunUpdate, void, void> {
  const { signal, pollSeconds = defaultPollSeconds } = options;
  const changes = watchFolder(folder, signal);
  const look = createReader(folder);
  try {
    while (!signal?.aborted) {
      changes.attach();
      for await (const update of look()) {
        yield update;
        if (update.kind === 'finished' || signal?.aborted) return;
      }
      await changes.next(1000 * pollSeconds);
    }
  } finally {
    changes.close();
  }
}

/** What has come since the last look. */
function createReader(folder: string): () => AsyncGenerator<RunUpdate, void, void> {
  let begun: string | undefined;
  let events = createEventReader(folder);
  let told: string | null = null;
  return async function* () {
    const run = await readRecord(folder, 'run.json', runSchema);
    if (run === undefined) return;
    if (run.created !== begun) {
      begun = run.created;
      events = createEventReader(folder);
      told = null;
      yield { kind: 'run', run };
    }
    // Looked for first: once it is there, no event comes any more.
    const report = await readRecord(folder, 'report.json', reportSchema);
    for await (const event of events()) yield { kind: 'event', event };
    const progress = (await readRecord(folder, 'progress.json', progressSchema)) ?? null;
    if ((progress?.time ?? null) !== told) yield { kind: 'progress', progress };
    told = progress?.time ?? null;
    const architecture = report && (await readRecord(folder, 'architecture.json', architectureSchema));
    if (report && architecture) yield { kind: 'finished', report, architecture };
  };
}

/** The events that a file has got since the last look; all that differ where another file has come in its place. */
function createEventReader(folder: string): () => AsyncGenerator<SearchEvent, void, void> {
  const path = join(folder, 'events.jsonl');
  /** By the number of its step, when an event that was told was written. */
  const told = new Map<number, number>();
  let place = { file: 0, bytes: 0, lines: 0 };
  return async function* () {
    // A part at a time: a long file is neither held as a whole, nor does it keep other work waiting.
    for (let most = partBytes; ; ) {
      const { file, fresh: read, isSame, isAll } = await readFrom(path, place, most);
      const whole = read.subarray(0, read.lastIndexOf('\n') + 1);
      const before = isSame ? place : { bytes: 0, lines: 0 };
      place = { file, bytes: before.bytes + whole.length, lines: before.lines };
      for (const event of parseEvents(path, whole.toString(), before.lines)) {
        place = { ...place, lines: place.lines + 1 };
        if (told.get(event.step) === event.seconds) continue;
        told.set(event.step, event.seconds);
        yield event;
      }
      if (isAll) return;
      // A line may be longer than a part.
      most = whole.length === 0 ? 2 * most : partBytes;
    }
  };
}

/**
 * What a file holds after so many bytes, `most` of it, whether that is all, and its number; from its beginning where it is another file, or a
 * shorter one, than before. Nothing where it is not there.
 */
async function readFrom(path: string, before: { readonly file: number; readonly bytes: number }, most: number) {
  return fixable(path, async () => {
    const handle = await openIfThere(path);
    if (handle === undefined) return { file: before.file, fresh: Buffer.alloc(0), isSame: true, isAll: true };
    try {
      const { ino, size } = await handle.stat();
      const isSame = ino === before.file && size >= before.bytes;
      const start = isSame ? before.bytes : 0;
      const wanted = Math.min(size - start, most);
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(wanted), 0, wanted, start);
      return { file: ino, fresh: buffer.subarray(0, bytesRead), isSame, isAll: wanted === size - start };
    } finally {
      await handle.close();
    }
  });
}

const openIfThere = (path: string): Promise<FileHandle | undefined> =>
  open(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });

/** Waits for changes of the watched files. */
function watchFolder(folder: string, signal: AbortSignal | undefined) {
  let watcher: { readonly of: number; readonly close: () => void } | undefined;
  let changed = false;
  let wake = (): void => {};
  const tell = (): void => {
    changed = true;
    wake();
  };
  const close = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  signal?.addEventListener('abort', tell);
  return {
    /** Lets the system tell of changes, where there is a folder and it can. To be called before each look, so that nothing is missed. */
    attach: (): void => {
      try {
        const found = statSync(folder).ino;
        if (found === watcher?.of) return;
        close();
        const own = watch(folder, (_, name) => {
          if (name === null || watchedNames.some((known) => known === name)) tell();
        }).on('error', close);
        watcher = { of: found, close: () => own.close() };
      } catch {
        // There is no folder, or no more watches are to be had: looking now and then does.
        close();
      }
    },
    /** Resolves a moment after a change, at the latest after so many milliseconds. */
    next: async (milliseconds: number): Promise<void> => {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          setTimeout(resolve, settleMilliseconds);
        };
        if (changed || signal?.aborted) wake();
      });
      wake = () => {};
      changed = false;
    },
    close: (): void => {
      signal?.removeEventListener('abort', tell);
      close();
    },
  };
}
