import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { readRun, readStudy } from '../../src/run/read-run.ts';
import { appendEvent, keepEventsUntil, writeRecord } from '../../src/run/run-folder.ts';
import { writeRunFolder } from '../cli/run.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { reportContent } from '../report/content.ts';
import { studyContent } from '../report/study-content.ts';

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

describe('a study', () => {
  const { record, results } = studyContent({ low: 0.01, high: 0.02 });

  it('comes back as it was written, before its end and after it', async () => {
    const folder = await newFolder();
    await writeRecord(folder, 'study.json', record);
    expect(await readStudy(folder)).toEqual(record);
    await writeRecord(folder, 'study.json', { ...record, results });
    expect(await readStudy(folder)).toEqual({ ...record, results });
  });

  it('is read without its results where another version wrote those: they can be made again', async () => {
    const folder = await newFolder();
    await writeRecord(folder, 'study.json', { ...record, results: { contestants: [] } });
    expect((await readStudy(folder)).results).toBeUndefined();
  });

  it('is refused in a sentence where it is damaged or none', async () => {
    const folder = await newFolder();
    expect(await refusal(readStudy(folder))).toMatch(/is no study, for it has no study\.json: name the folder/);
    await writeRecord(folder, 'study.json', { ...record, settings: {} });
    expect(await refusal(readStudy(folder))).toMatch(/study\.json is damaged.*settings\.data_set/);
  });
});
