import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { openHeartbeat } from '../../src/run/heartbeat.ts';
import { progressSchema } from '../../src/run/progress.ts';
import { temporaryFolder } from '../formats/scans.ts';

const root = await temporaryFolder();
const newFolder = () => mkdtemp(join(root, 'run-'));
const read = async (folder: string) =>
  progressSchema.parse(JSON.parse(await readFile(join(folder, 'progress.json'), 'utf8')));

async function written(folder: string): Promise<void> {
  while (!(await readdir(folder)).includes('progress.json')) await setTimeout(2);
}

it('writes how far a search is, not more often than every two seconds, and removes it at the end', async () => {
  const folder = await newFolder();
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  try {
    const heartbeat = openHeartbeat(folder);
    heartbeat.beat({ phase: 'train', step: 2, done: 1, total: 30, secondsLeft: 12.5, loss: 0.3 });
    await written(folder);
    const first = await read(folder);
    expect(first).toEqual({ time: first.time, phase: 'train', step: 2, done: 1, total: 30, seconds_left: 12.5 });
    expect(Math.abs(Date.parse(first.time) - Date.now())).toBeLessThan(60_000);
    await setTimeout(20);
    now.mockReturnValue(1900);
    heartbeat.beat({ phase: 'train', step: 2, done: 2, total: 30 });
    await setTimeout(20);
    expect((await read(folder)).done).toBe(1);
    now.mockReturnValue(2100);
    heartbeat.beat({ phase: 'evaluate', step: 2, done: 0, total: 20, secondsLeft: Number.NaN });
    while ((await read(folder)).phase === 'train') await setTimeout(2);
    expect(await read(folder)).toMatchObject({ phase: 'evaluate', done: 0, seconds_left: null });
    await heartbeat.stop();
    expect(await readdir(folder)).toEqual([]);
  } finally {
    now.mockRestore();
  }
});

it('leaves nothing behind where it stops while it writes, nor what a kill has left', async () => {
  const folder = await newFolder();
  for (const name of ['progress.json', 'progress.json-new']) await writeFile(join(folder, name), '{');
  const heartbeat = openHeartbeat(folder);
  heartbeat.beat({ phase: 'train', step: 1, done: 1, total: 1 });
  await heartbeat.stop();
  expect(await readdir(folder)).toEqual([]);
});

it('ends nothing where the disk does not take it', async () => {
  const heartbeat = openHeartbeat(join(root, 'nowhere'));
  heartbeat.beat({ phase: 'train', step: 1, done: 1, total: 1 });
  await heartbeat.stop();
});
