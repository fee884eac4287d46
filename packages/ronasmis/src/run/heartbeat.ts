import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress, RunProgress } from './progress.ts';

const fileName = 'progress.json';
/** Seconds between two writings, at least: a search has many training steps in a second, and nobody looks so often. */
const pauseSeconds = 2;

/** Keeps `progress.json` of a run folder up to date. */
export interface Heartbeat {
  /** Takes note of how far the search is; returns at once. */
  readonly beat: (progress: Progress) => void;
  /** Removes the file; to be called at the end, whatever it is. */
  readonly stop: () => Promise<void>;
}

/** Begins to write the heartbeat of a search. A disk that does not take it ends no search. */
export function openHeartbeat(folder: string): Heartbeat {
  const file = join(folder, fileName);
  let next = 0;
  let writing: Promise<void> | undefined;
  return {
    beat: (progress) => {
      if (writing !== undefined || performance.now() < next) return;
      next = performance.now() + 1000 * pauseSeconds;
      writing = write(file, record(progress)).finally(() => {
        writing = undefined;
      });
    },
    stop: async () => {
      await writing;
      // A kill may have left the other one.
      for (const left of [file, temporaryOf(file)]) await rm(left, { force: true }).catch(() => {});
    },
  };
}

const temporaryOf = (file: string): string => `${file}-new`;

/** Whole or not at all for who reads it; whether it would outlast a power cut does not matter. */
async function write(file: string, progress: RunProgress): Promise<void> {
  const temporary = temporaryOf(file);
  await writeFile(temporary, `${JSON.stringify(progress)}\n`)
    .then(() => rename(temporary, file))
    .catch(() => rm(temporary, { force: true }))
    .catch(() => {});
}

function record({ phase, step, done, total, secondsLeft }: Progress): RunProgress {
  const time = new Date().toISOString();
  const seconds_left = secondsLeft !== undefined && Number.isFinite(secondsLeft) ? secondsLeft : null;
  return { time, phase, step, done, total, seconds_left };
}
