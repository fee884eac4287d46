import { appendFile, cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { openHeartbeat } from '../../src/run/heartbeat.ts';
import { appendEvent, keepEventsUntil, writeRecord } from '../../src/run/run-folder.ts';
import { type RunUpdate, type WatchOptions, watchRun } from '../../src/run/watch.ts';
import { writeRunFolder } from '../cli/run.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { reportContent } from '../report/content.ts';

const root = await temporaryFolder();
const newFolder = () => mkdtemp(join(root, 'run-'));
const { run, architecture, report, events } = reportContent(4);

/** An update in a word. */
function wordOf(update: RunUpdate): string {
  if (update.kind === 'event') return `event ${update.event.step} at ${update.event.seconds}`;
  if (update.kind === 'progress') return `progress ${update.progress?.done ?? 'none'}`;
  return update.kind === 'run' ? `run of ${update.run.created}` : update.kind;
}
const told = (event: (typeof events)[number]): string => `event ${event.step} at ${event.seconds}`;
const began = `run of ${run.created}`;

/** Watches a folder until the test ends it; what was told stands in `words`. */
function follow(folder: string, options: WatchOptions = {}) {
  const abort = new AbortController();
  const words: string[] = [];
  const ended = (async () => {
    for await (const update of watchRun(folder, { signal: abort.signal, ...options })) words.push(wordOf(update));
  })();
  /** Waits until so many updates have come. */
  const count = async (wanted: number): Promise<void> => {
    while (words.length < wanted) await Promise.race([setTimeout(5), ended]);
  };
  const stop = async (): Promise<readonly string[]> => {
    abort.abort();
    await ended;
    return words;
  };
  return { words, count, stop, ended };
}

/** So slow that only what the system tells of is seen in time. */
const slow = { pollSeconds: 3600 };

describe('watchRun', () => {
  it('tells all of a finished run, in its order, and ends', async () => {
    const folder = await newFolder();
    await writeRunFolder(folder, true);
    const updates: string[] = [];
    for await (const update of watchRun(folder)) updates.push(wordOf(update));
    expect(updates).toEqual([began, ...reportContent(5).events.map(told), 'finished']);
  });

  it('tells of what comes as soon as the system does, each once, and of an event when its line is whole', async () => {
    const folder = await newFolder();
    await writeRecord(folder, 'run.json', run);
    const { words, count, stop } = follow(folder, slow);
    await count(1);
    await appendEvent(folder, events[0]);
    await count(2);
    const line = JSON.stringify(events[1]);
    await appendFile(join(folder, 'events.jsonl'), line.slice(0, 40));
    await setTimeout(200);
    expect(words).toHaveLength(2);
    await appendFile(join(folder, 'events.jsonl'), `${line.slice(40)}\n${JSON.stringify(events[2])}\n{`);
    await count(4);
    expect(await stop()).toEqual([began, ...events.slice(0, 3).map(told)]);
  });

  it('takes a line that is cut within a letter of several bytes', async () => {
    const folder = await newFolder();
    await writeRecord(folder, 'run.json', run);
    // What is not in the schema is left out; its letters are there nevertheless.
    const line = Buffer.from(`${JSON.stringify({ ...events[0], note: 'ä€𝄞' })}\n${JSON.stringify(events[1])}\n`);
    const { count, stop } = follow(folder, slow);
    await count(1);
    for (let at = 0; at < line.length; at += 1 + Math.ceil(line.length / 40)) {
      await appendFile(join(folder, 'events.jsonl'), line.subarray(at, at + 1 + Math.ceil(line.length / 40)));
      await setTimeout(10);
    }
    await count(3);
    expect(await stop()).toEqual([began, told(events[0]), told(events[1])]);
  });

  it('waits for a folder that is not there, and takes it up again where another comes in its place', async () => {
    const folder = join(await newFolder(), 'later', 'run');
    const { words, count, stop } = follow(folder, { pollSeconds: 0.05 });
    await setTimeout(120);
    expect(words).toEqual([]);
    await mkdir(folder, { recursive: true });
    await setTimeout(120);
    await writeRecord(folder, 'run.json', run);
    await appendEvent(folder, events[0]);
    await count(2);
    const other = { ...run, created: '2031-01-01T00:00:00.000Z' };
    const elsewhere = await newFolder();
    await writeRecord(elsewhere, 'run.json', other);
    await appendEvent(elsewhere, events[0]);
    await rm(folder, { recursive: true });
    await setTimeout(120);
    await rename(elsewhere, folder);
    await count(4);
    await appendEvent(folder, events[1]);
    await count(5);
    expect(await stop()).toEqual([began, told(events[0]), `run of ${other.created}`, told(events[0]), told(events[1])]);
  });

  it('tells again of a step that is made again, and of no other', async () => {
    const folder = await newFolder();
    await writeRecord(folder, 'run.json', run);
    for (const event of events.slice(0, 3)) await appendEvent(folder, event);
    const { count, stop } = follow(folder, slow);
    await count(4);
    await keepEventsUntil(folder, 2);
    await setTimeout(100);
    const again = { ...events[2], seconds: events[2].seconds + 1 };
    await appendEvent(folder, again);
    await count(5);
    expect(await stop()).toEqual([began, ...events.slice(0, 3).map(told), told(again)]);
  });

  it('tells of the heartbeat, and when it has stopped', async () => {
    const folder = await newFolder();
    await writeRecord(folder, 'run.json', run);
    const { count, stop } = follow(folder, slow);
    await count(1);
    const heartbeat = openHeartbeat(folder);
    heartbeat.beat({ phase: 'train', step: 1, done: 7, total: 9 });
    await count(2);
    await heartbeat.stop();
    await count(3);
    expect(await stop()).toEqual([began, 'progress 7', 'progress none']);
  });

  it('tells of every event before the end, however much is written at once', async () => {
    const [folder, finished] = [await newFolder(), await newFolder()];
    await writeRunFolder(finished, true);
    const { words, ended } = follow(folder, { pollSeconds: 0.05 });
    await cp(join(finished, 'run.json'), join(folder, 'run.json'));
    for (const event of events) await appendEvent(folder, event);
    await writeRecord(folder, 'architecture.json', architecture);
    await writeRecord(folder, 'report.json', report);
    await ended;
    expect(words).toEqual([began, ...events.map(told), 'finished']);
  });

  it('refuses what is damaged, naming the line', async () => {
    const folder = await newFolder();
    await writeRecord(folder, 'run.json', run);
    await appendEvent(folder, events[0]);
    const { count, ended } = follow(folder, slow);
    await count(2);
    const refused = ended.catch((error: unknown) => error);
    await writeFile(join(folder, 'events.jsonl'), '{"step": 2}\n', { flag: 'a' });
    const error = await refused;
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(/events\.jsonl, line 2, is damaged/);
  });

  it('ends at once where it is told to before it began, or where its reader stops', async () => {
    const folder = await newFolder();
    await writeRunFolder(folder, false);
    const updates: RunUpdate[] = [];
    for await (const update of watchRun(folder, { signal: AbortSignal.abort() })) updates.push(update);
    expect(updates).toEqual([]);
    for await (const update of watchRun(folder, slow)) {
      updates.push(update);
      break;
    }
    expect(updates.map(wordOf)).toEqual([began]);
  });
});
