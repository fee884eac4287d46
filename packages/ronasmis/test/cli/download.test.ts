import { beforeEach, expect, it, vi } from 'vitest';
import { run } from './run.ts';

const download = vi.hoisted(() => vi.fn());
vi.mock('../../src/download/download.ts', () => ({ download }));

beforeEach(() => {
  download.mockReset().mockResolvedValue('data/Task02_Heart');
});

it('prints where the data set is, and a line for each phase and tenth away from a terminal', async () => {
  download.mockImplementation(async (_task, _out, { onProgress }) => {
    const totalBytes = 400 * 2 ** 20;
    for (const part of [0.01, 0.04, 0.11, 0.19, 0.32])
      onProgress({ phase: 'fetch', doneBytes: part * totalBytes, totalBytes, secondsLeft: 65 });
    onProgress({ phase: 'check', doneBytes: totalBytes, totalBytes });
    onProgress({ phase: 'unpack', doneBytes: 0, totalBytes });
    return 'data/Task02_Heart';
  });
  expect(await run('download', 'Task02_Heart', '--out', 'data')).toEqual({
    code: 0,
    stdout: 'data/Task02_Heart\n',
    stderr: [
      'Downloading (400 MiB)\n10 %, 1 min 5 s left\n30 %, 1 min 5 s left\nChecking (400 MiB)\nUnpacking (400 MiB)\n',
      'Look at it with: ronasmis inspect data/Task02_Heart\n',
    ].join(''),
  });
  expect(download.mock.calls[0].slice(0, 2)).toEqual(['Task02_Heart', 'data']);
});

it('prints one JSON document', async () => {
  const { stdout } = await run('download', 'Task02_Heart', '--out', 'data', '--json');
  expect(JSON.parse(stdout)).toEqual({ data_set: 'data/Task02_Heart' });
});

it('stops cleanly on Ctrl-C and says how to go on', async () => {
  download.mockImplementation(async (_task, _out, { signal }) => {
    process.emit('SIGINT');
    signal.throwIfAborted();
  });
  const { code, stdout, stderr } = await run('download', 'Task02_Heart', '--out', 'data');
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toContain('Type the same command again to go on.');
});
