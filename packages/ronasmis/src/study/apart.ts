import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { UserError } from '../base/errors.ts';
import type { SearchHooks } from '../search/search.ts';
import type { Job } from './job.ts';
import type { FromJob, ToJob } from './messages.ts';

/** The program beside this module, as it was built or as it was written. */
const program = new URL(`job-process${extname(import.meta.url)}`, import.meta.url);

/**
 * Runs a job in a process of its own, which ends with ours: several may go on side by side, each with its share of the processor's threads.
 * @throws UserError as the job does, or where something outside has ended its process; the signal's reason where that has stopped it
 */
export async function runJobApart(job: Job, threads: number, hooks: SearchHooks): Promise<void> {
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
function endingOf(child: ChildProcess, { onProgress, onWarning }: SearchHooks): Promise<Ending | undefined> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => resolve(undefined));
    child.on('message', (message: FromJob) => {
      if (message.kind === 'progress') onProgress?.(message.progress);
      else if (message.kind === 'warning') onWarning?.(message.sentence);
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
