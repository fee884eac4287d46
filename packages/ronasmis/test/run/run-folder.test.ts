import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { readRun } from '../../src/run/read-run.ts';
import { appendEvent, createRunFolder, keepEventsUntil, writeRecord, writeRunFile } from '../../src/run/run-folder.ts';
import { writeRunFolder } from '../cli/run.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { reportContent } from '../report/content.ts';

const root = await temporaryFolder();
const newFolder = () => mkdtemp(join(root, 'run-'));
const { run, architecture, report, events } = reportContent(3);

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  return String(error);
}

describe('records', () => {
  it('come back as they were written', async () => {
    const folder = await newFolder();
    await writeRecord(folder, 'run.json', run);
    expect(await readRun(folder)).toEqual({ folder, run, events: [] });
    for (const event of events) await appendEvent(folder, event);
    await writeRecord(folder, 'architecture.json', architecture);
    await writeRecord(folder, 'report.json', report);
    expect(await readRun(folder)).toEqual({ folder, run, architecture, report, events });
  });

  it('drops the events after a step and a line that was cut short', async () => {
    const folder = await newFolder();
    for (const event of events) await appendEvent(folder, event);
    await keepEventsUntil(folder, 2);
    await writeFile(join(folder, 'events.jsonl'), '{"step": 3, "seco', { flag: 'a' });
    await writeRecord(folder, 'run.json', run);
    expect((await readRun(folder)).events).toEqual(events.slice(0, 2));
    await keepEventsUntil(folder, 2);
    await appendEvent(folder, events[2]);
    expect((await readRun(folder)).events).toHaveLength(3);
  });

  const damages: [string, string, RegExp][] = [
    [
      'run.json',
      '{',
      /run\.json is damaged or of another version \(this is not valid JSON: .*\): search again into a new folder\.$/,
    ],
    ['run.json', '{"version": 1}', /run\.json is damaged.*version.*string/s],
    ['architecture.json', '{"patch": {}}', /architecture\.json is damaged.*depth/s],
    ['report.json', '[]', /report\.json is damaged/],
    ['events.jsonl', `${JSON.stringify(events[0])}\n{"step": 2}\n`, /events\.jsonl, line 2, is damaged.*at seconds: /],
  ];
  it.each(damages)('%s that is damaged is named in a sentence', async (name, content, sentence) => {
    const folder = await newFolder();
    await writeRunFolder(folder, true);
    await writeFile(join(folder, name), content);
    expect(await refusal(readRun(folder))).toMatch(sentence);
  });

  it('are missing from what is no run folder', async () => {
    const folder = await newFolder();
    expect(await refusal(readRun(folder))).toMatch(/is no run folder, for it has no run\.json: name the folder/);
    await writeFile(join(folder, 'file'), '');
    expect(await refusal(readRun(join(folder, 'file')))).toMatch(/file.run\.json can't be read/);
  });
});

describe('createRunFolder', () => {
  it('makes the folder and those above it, or takes one that is there, and leaves nothing in it', async () => {
    const folder = join(await newFolder(), 'a', 'b');
    await createRunFolder(folder);
    await createRunFolder(folder);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a folder that holds a run', async () => {
    const folder = await newFolder();
    await writeRunFolder(folder, false);
    const before = await readFile(join(folder, 'run.json'), 'utf8');
    expect(await refusal(createRunFolder(folder))).toMatch(/holds a run already: .*'ronasmis resume .*another folder/);
    expect(await readFile(join(folder, 'run.json'), 'utf8')).toBe(before);
  });

  it('refuses a folder that cannot be written', async () => {
    await writeFile(join(root, 'file'), '');
    for (const folder of [join(root, 'file', 'run'), join(root, 'file'), join(root, 'nul\0'), '/proc/run']) {
      expect(await refusal(createRunFolder(folder))).toMatch(
        /cannot be written \(.*\): give another folder with --out/,
      );
    }
  });
});

describe('writeRunFile', () => {
  it('shows a reader the old content or the new one, never a part', async () => {
    const folder = await newFolder();
    const contents = ['a', 'b'].map((letter) => letter.repeat(3_000_000));
    await writeRunFile(folder, 'file', contents[0]);
    let writing = true;
    const writes = (async () => {
      for (let i = 1; i <= 12; i += 1) await writeRunFile(folder, 'file', contents[i % 2]);
      writing = false;
    })();
    const seen = new Set<number>();
    while (writing) seen.add(contents.indexOf(await readFile(join(folder, 'file'), 'utf8')));
    await writes;
    expect([...seen].sort()).toEqual([0, 1]);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('keeps the old content where it fails', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'taken', 'inside'), { recursive: true });
    await expect(writeRunFile(folder, 'taken', 'new')).rejects.toThrow();
    expect(await readdir(join(folder, 'taken'))).toEqual(['inside']);
  });
});
