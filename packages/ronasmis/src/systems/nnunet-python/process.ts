import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { availableProcessors } from '@ronasmis/libtorch/machine';
import { UserError } from '../../base/errors.ts';
import { makeFolder, writeAtomically } from '../../base/files.ts';
import { quoted } from '../../base/json.ts';
import { driver } from './driver.ts';
import { nnunetFolders } from './folders.ts';
import { type DriverLine, parseLine } from './lines.ts';
import type { NnunetPython } from './python.ts';

/** A scan, or a case, as the Python program is told of it. */
export interface DriverCase {
  readonly name: string;
  /** One a channel. */
  readonly files: readonly string[];
  /** Of the label map that is to be written, without its ending. */
  readonly out: string;
}

/** What the Python program is told to do. */
export type Job = {
  readonly device: 'auto' | 'cpu' | 'cuda';
  /** nnU-Net's folder of the trained model. */
  readonly model: string;
  readonly cases: readonly DriverCase[];
} & (
  | {
      readonly task: 'train';
      readonly data_set: string;
      readonly seed: number;
      readonly time_seconds: number | null;
      readonly epochs: number | null;
      /** Gigabytes of a GPU that nnU-Net is to plan for; null: as many as it does by itself. */
      readonly memory_gb: number | null;
      readonly state: string;
      /** File for what was learnt. */
      readonly weights: string;
    }
  | { readonly task: 'segment' }
);

interface Watching {
  readonly signal?: AbortSignal | undefined;
  /** Told of each line, the next one once it has taken note of that. */
  readonly onLine: (line: DriverLine) => void | Promise<void>;
}

/** nnU-Net's own processes for augmentation, where it is not told how many: 12, or as many as there are processors. */
const mostAugmenters = 12;

/**
 * Runs the Python program for a job of a run folder, to its end. It is a group of processes by itself, which ends with ours, whatever ends that.
 * @param secondsUsed of the run's time
 * @throws UserError where nnU-Net fails, with what it has said last; the signal's reason where that has ended it
 */
export async function runDriver(
  { command }: NnunetPython,
  run: string,
  job: Job & { readonly seconds_used: number },
  { signal, onLine }: Watching,
): Promise<void> {
  const folders = nnunetFolders(run);
  const threads = availableProcessors();
  await makeFolder(folders.root);
  await writeAtomically(folders.driver, Buffer.from(driver));
  await writeAtomically(folders.job, Buffer.from(`${JSON.stringify({ ...job, threads }, undefined, 2)}\n`));
  signal?.throwIfAborted();
  const log = await open(folders.log, 'a');
  try {
    const { size: before } = await log.stat();
    const child = spawn(command, [folders.driver, folders.job], {
      // The pipe of its standard input breaks when this process ends, by which it knows.
      stdio: ['pipe', 'pipe', log.fd],
      detached: true,
      env: { ...process.env, ...environment(run, threads) },
    });
    const end = (): void => killGroup(child.pid);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
    process.on('exit', end);
    try {
      if (child.stdout === null) throw new TypeError('A pipe was asked for.');
      const told = tellLines(child.stdout, onLine);
      told.catch(end);
      const [code, killedBy]: (number | string | null)[] = await once(child, 'exit');
      // Workers may outlive it, and hold its output open.
      end();
      const last = await told;
      signal?.throwIfAborted();
      if (code === 0) return;
      refuse(last);
      throw await failure(folders.log, before, killedBy);
    } finally {
      process.off('exit', end);
      signal?.removeEventListener('abort', end);
    }
  } finally {
    await log.close();
  }
}

/** Tells each line that the program prints. @returns the last */
async function tellLines(output: Readable, onLine: Watching['onLine']): Promise<DriverLine | undefined> {
  let last: DriverLine | undefined;
  for await (const text of createInterface({ input: output })) {
    const line = parseLine(text);
    if (line === undefined) continue;
    last = line;
    await onLine(line);
  }
  return last;
}

/** Where nnU-Net finds everything, and how many processes and threads it has. */
function environment(run: string, threads: number): Readonly<Record<string, string>> {
  const { raw, preprocessed, results } = nnunetFolders(run);
  return {
    nnUNet_raw: raw,
    nnUNet_preprocessed: preprocessed,
    nnUNet_results: results,
    nnUNet_def_n_proc: String(threads),
    nnUNet_n_proc_DA: String(Math.min(mostAugmenters, threads)),
    // Each of many processes has one thread, as nnU-Net wants it; the one that trains takes all processors by itself.
    OMP_NUM_THREADS: '1',
    MKL_NUM_THREADS: '1',
    OPENBLAS_NUM_THREADS: '1',
    TORCHINDUCTOR_COMPILE_THREADS: '1',
    // To ask for a GPU must not begin to use it: the processes that prepare the data are forked later.
    PYTORCH_NVML_BASED_CUDA_CHECK: '1',
    TQDM_DISABLE: '1',
    PYTHONUNBUFFERED: '1',
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** What the program itself has found out, as sentences. */
function refuse(last: DriverLine | undefined): void {
  if (last?.event === 'no_cuda')
    throw new UserError(
      '--device cuda: the PyTorch of --python finds no GPU. Install one for CUDA, or use --device cpu.',
    );
  if (last?.event === 'no_time') {
    const prepared = Math.ceil(last.seconds);
    throw new UserError(
      `--time: nnU-Net's preparation took ${prepared} s, so that nothing is left to train in. Give more, at least twice as much.`,
    );
  }
}

/** Lines of a log that are quoted. */
const quotedLines = 4;

async function failure(log: string, before: number, killedBy: number | string | null): Promise<UserError> {
  const said = (await readFile(log)).subarray(before).toString();
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const what =
    killedBy === null
      ? `nnU-Net's process failed: ${quoted(lines.slice(-quotedLines).join(' | '))}`
      : `nnU-Net's process was killed (${killedBy}), by someone or for want of memory`;
  return new UserError(
    `${what}. All that it said is in ${log}; mend that, and start again: it goes on from its last checkpoint.`,
  );
}
