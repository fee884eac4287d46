import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { availableProcessors } from '@ronasmis/libtorch/machine';
import { UserError } from '../base/errors.ts';
import type { ComputeDevice } from '../engine/device.ts';
import { defaultMemoryBytes } from '../search/memory.ts';
import type { SearchHooks } from '../search/search.ts';
import { type Job, runJob } from './job.ts';
import type { FromJob, ToJob } from './messages.ts';

/** How many runs go on side by side, and what they share. */
export interface Sharing {
  /** Runs at a time, each with its share of the processor's threads and of the memory. */
  readonly sideBySide: number;
  /** Bytes that all may take together; 80 % of what is free where it is left out. */
  readonly memoryBytes?: number;
}

/** A run's share of the memory, as its options say it; one alone decides by itself where nobody does. */
export function memoryShare(
  { sideBySide, memoryBytes }: Sharing,
  device: ComputeDevice,
): { readonly memoryBytes?: number } {
  if (sideBySide === 1) return memoryBytes === undefined ? {} : { memoryBytes };
  return { memoryBytes: Math.floor((memoryBytes ?? defaultMemoryBytes(device)) / sideBySide) };
}

/** Runs a job, in this process where it is the only one, else apart with its share of the processor's threads. @throws UserError as the job does */
export async function runJobAmong({ sideBySide }: Sharing, job: Job, hooks: SearchHooks): Promise<void> {
  if (sideBySide === 1) await runJob(job, hooks);
  else await runJobApart(job, Math.max(1, Math.floor(availableProcessors() / sideBySide)), hooks);
}

/** The program beside this module, as it was built or as it was written. */
const program = new URL(`job-process${extname(import.meta.url)}`, import.meta.url);

/**
 * Runs a job in a process of its own, which ends with ours: several may go on side by side, each with its share of the processor's threads.
 * @throws UserError as the job does, or where something outside has ended its process; the signal's reason where that has stopped it
 */
async function runJobApart(job: Job, threads: number, hooks: SearchHooks): Promise<void> {
  const { signal } = hooks;
  signal?.throwIfAborted();
  const child = fork(program, {
    env: { ...process.env, OMP_NUM_THREADS: String(threads) },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const tell = (message: ToJob): void => void (child.connected && child.send(message));
  const stop = (): void => tell({ kind: 'stop' });
  const exited = once(child, 'exit');
  signal?.addEventListener('abort', stop, { once: true });
  try {
    tell({ kind: 'run', job });
    const ending = await endingOf(child, hooks);
    if (child.connected) child.disconnect();
    await exited;
    signal?.throwIfAborted();
    requireFinished(ending, job);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

type Ending = Extract<FromJob, { readonly kind: 'finished' | 'failed' }>;

/** What a job's process says last; undefined where it ends without a word. */
function endingOf(child: ChildProcess, { onProgress, onWarning, onStart }: SearchHooks): Promise<Ending | undefined> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => resolve(undefined));
    child.on('message', (message: FromJob) => {
      if (message.kind === 'progress') onProgress?.(message.progress);
      else if (message.kind === 'warning') onWarning?.(message.sentence);
      else if (message.kind === 'start') onStart?.(message.start);
      else resolve(message);
    });
  });
}

function requireFinished(ending: Ending | undefined, { options: { out } }: Job): void {
  if (ending === undefined)
    throw new UserError(`Something has ended the process that worked in ${out}: type the same command to go on.`);
  if (ending.kind === 'finished') return;
  const { message, stack } = ending;
  throw stack === undefined ? new UserError(message) : Object.assign(new Error(message), { stack });
}
