import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { nnunetFolders } from '../../../src/systems/nnunet-python/folders.ts';
import type { DriverLine } from '../../../src/systems/nnunet-python/lines.ts';
import { runDriver } from '../../../src/systems/nnunet-python/process.ts';
import { temporaryFolder } from '../../formats/scans.ts';
import { fakePython } from './python.ts';

const folder = await temporaryFolder();
const job = { task: 'segment', device: 'cpu', model: 'model', cases: [], seconds_used: 0 } as const;

/** Runs a program of this name in the place of a Python, in a run folder of its own. */
async function run(name: string, work: string, signal?: AbortSignal) {
  const command = await fakePython(folder, name, work);
  const lines: DriverLine[] = [];
  const python = { command, nnunet: '2.8.1', torch: '2.15.0' };
  await runDriver(python, join(folder, `run-${name}`), job, { signal, onLine: (line) => void lines.push(line) });
  return lines;
}

const line = (done: number) => `echo '{"event": "case", "name": "a", "done": ${done}, "total": 2}'`;

it('the lines of the program are told in their order, and what is none is passed over', async () => {
  const lines = await run('talking', [line(1), 'echo something else', line(2)].join('\n'));
  expect(lines).toEqual([1, 2].map((done) => ({ event: 'case', name: 'a', done, total: 2 })));
});

it("nnU-Net's folders lie in the run folder, whatever the user's environment says", async () => {
  vi.stubEnv('nnUNet_raw', '/elsewhere');
  await run('environment', 'echo "$nnUNet_raw $nnUNet_preprocessed $nnUNet_results" >&2').finally(vi.unstubAllEnvs);
  const { raw, preprocessed, results, log } = nnunetFolders(join(folder, 'run-environment'));
  expect(await readFile(log, 'utf8')).toBe(`${raw} ${preprocessed} ${results}\n`);
});

it('the job is the file that the program is given', async () => {
  await run('job', 'cat "$2" >&2');
  const { log } = nnunetFolders(join(folder, 'run-job'));
  expect(JSON.parse(await readFile(log, 'utf8'))).toMatchObject({ ...job, threads: expect.any(Number) });
});

describe('an error is a sentence', () => {
  const error = async (name: string, work: string): Promise<unknown> =>
    run(name, work).catch((reason: unknown) => reason);

  it('with the last that the program has said, and where all of it is', async () => {
    const found = await error('failing', 'echo "Traceback" >&2\necho "RuntimeError: no such plan" >&2\nexit 1');
    expect(found).toBeInstanceOf(UserError);
    expect(String(found)).toMatch(
      /nnU-Net's process failed: Traceback \| RuntimeError: no such plan\. .*run-failing\/nnunet\/log\.txt/,
    );
  });

  it('where it was killed', async () => {
    expect(String(await error('killed', 'kill -9 $$'))).toMatch(
      /was killed \(SIGKILL\), by someone or for want of memory/,
    );
  });

  it('where there is no GPU', async () => {
    const found = await error('without-gpu', `echo '{"event": "no_cuda"}'\nexit 3`);
    expect(String(found)).toMatch(/--device cuda: the PyTorch of --python finds no GPU/);
  });

  it('where no time is left, with the time that was needed before', async () => {
    const found = await error('late', `echo '{"event": "no_time", "seconds": 40.2}'\nexit 3`);
    expect(String(found)).toMatch(/preparation took 41 s, so that nothing is left to train in/);
  });
});

it('what goes wrong while a line is taken note of ends the program, and is the error', async () => {
  const command = await fakePython(folder, 'noted', `${line(1)}\nsleep 600`);
  const failing = async (): Promise<void> => Promise.reject(new UserError('The disk is full.'));
  const python = { command, nnunet: '2.8.1', torch: '2.15.0' };
  await expect(runDriver(python, join(folder, 'run-noted'), job, { onLine: failing })).rejects.toThrow(
    /The disk is full/,
  );
});

/** Whether a process is there. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until a process that was killed is gone: it is there until its parent has taken notice. */
const isGone = (pid: number) => vi.waitFor(() => expect(isThere(pid)).toBe(false), { timeout: 20_000 });

it('a stop ends the program and all that it has started', async () => {
  const stopping = new AbortController();
  const { log } = nnunetFolders(join(folder, 'run-stopped'));
  const running = run('stopped', 'sleep 600 &\necho $! >&2\nwait', stopping.signal);
  const pid = await vi.waitFor(async () => Number(/^(\d+)\n/.exec(await readFile(log, 'utf8'))?.[1]), {
    timeout: 20_000,
  });
  stopping.abort();
  await expect(running).rejects.toThrow(/aborted/);
  await isGone(pid);
});

it('what the program leaves behind ends with it', async () => {
  const { log } = nnunetFolders(join(folder, 'run-leaving'));
  await run('leaving', 'sleep 600 &\necho $! >&2');
  await isGone(Number(await readFile(log, 'utf8')));
});
