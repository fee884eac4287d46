import { mkdtemp, open, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ZodType } from 'zod';
import { type Architecture, architectureSchema } from '../architecture/architecture.ts';
import { codeOf, reasonOf, UserError } from '../base/errors.ts';
import { mendable, mkdirWithParents, sync, writeAtomically } from '../base/files.ts';
import { parseJson } from '../base/json.ts';
import {
  eventSchema,
  type RunRecord,
  reportSchema,
  runSchema,
  type SearchEvent,
  type SearchReport,
} from './records.ts';

/** What a run folder says of itself; `architecture` and `report` are missing until the search has ended. */
export type RunFiles = {
  readonly folder: string;
  readonly run: RunRecord;
  readonly events: readonly SearchEvent[];
  readonly architecture?: Architecture;
  readonly report?: SearchReport;
};

/**
 * Reads the records of a run folder, finished or not.
 * @throws UserError where the folder is no run or a file is damaged
 */
export async function readRun(folder: string): Promise<RunFiles> {
  const run = await readRecord(folder, 'run.json', runSchema);
  if (run === undefined) {
    throw new UserError(`${folder} is no run folder, for it has no run.json: name the folder given to search --out.`);
  }
  const architecture = await readRecord(folder, 'architecture.json', architectureSchema);
  const report = await readRecord(folder, 'report.json', reportSchema);
  const events = await readEvents(folder);
  return { folder, run, events, ...(architecture && { architecture }), ...(report && { report }) };
}

async function readEvents(folder: string): Promise<readonly SearchEvent[]> {
  const path = join(folder, 'events.jsonl');
  const lines = ((await readIfThere(path)) ?? '').split('\n');
  // Every whole line ends in a newline: what follows the last one is a line that a kill cut short.
  return lines.slice(0, -1).map((line, i) => parse(`${path}, line ${i + 1},`, line, eventSchema));
}

/** A record of a run folder or of a study; undefined where it is not there. @throws UserError where it is damaged */
export async function readRecord<T>(folder: string, name: string, schema: ZodType<T>): Promise<T | undefined> {
  const path = join(folder, name);
  const text = await readIfThere(path);
  return text === undefined ? undefined : parse(path, text, schema);
}

function parse<T>(what: string, text: string, schema: ZodType<T>): T {
  return parseJson(text, schema, ([why]) => {
    return new UserError(`${what} is damaged or of another version (${why}): search again into a new folder.`);
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (error instanceof Error && codeOf(error) !== '') {
      throw new UserError(`${path} can't be read (${error.message}): check its permissions.`);
    }
    throw error;
  }
}

/**
 * Makes the folder of a new run.
 * @returns the folders that were not there, the outermost first
 * @throws UserError where it holds a run already or cannot be written
 */
export async function createRunFolder(folder: string): Promise<readonly string[]> {
  let made: readonly string[];
  try {
    made = await mkdirWithParents(folder);
    const probe = await mkdtemp(join(folder, '.writable-'));
    await rmdir(probe);
  } catch (error) {
    throw new UserError(`${folder} cannot be written (${reasonOf(error)}): give another folder with --out.`);
  }
  await requireNew(folder);
  return made;
}

/** @throws UserError where the folder holds a run already, or files that one would replace */
export async function requireNew(folder: string): Promise<void> {
  if ((await readIfThere(join(folder, 'run.json'))) !== undefined) {
    throw new UserError(
      `${folder} holds a run already: go on with it by 'ronasmis resume ${folder}', or give another folder with --out.`,
    );
  }
  const others = await present(folder, runNames);
  if (others.length > 0) {
    throw new UserError(
      `${folder} holds ${others.join(', ')} of something else, which a run would replace: give another folder with --out.`,
    );
  }
}

/** What a search makes in its run folder. */
const runNames = [
  'run.json',
  'events.jsonl',
  'architecture.json',
  'report.json',
  'report.html',
  'model.safetensors',
  'checkpoint.safetensors',
] as const;

async function present(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const found = await readdir(folder);
  return names.filter((name) => found.includes(name));
}

/** Writes a file of the run folder whole or not at all, whenever the process is killed. @throws UserError where it can't */
export function writeRunFile(folder: string, name: string, content: string): Promise<void> {
  return writeAtomically(join(folder, name), Buffer.from(content));
}

/** As {@link writeRunFile}, for a record as JSON that a person can read. */
export function writeRecord(folder: string, name: string, record: unknown): Promise<void> {
  return writeRunFile(folder, name, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Adds a line to `events.jsonl`; it is on the disk when this returns. @throws UserError where the disk does not take it */
export async function appendEvent(folder: string, event: SearchEvent): Promise<void> {
  const path = join(folder, 'events.jsonl');
  await mendable(path, async () => {
    const file = await open(path, 'a');
    try {
      await file.appendFile(`${JSON.stringify(event)}\n`);
      await sync(file);
    } finally {
      await file.close();
    }
  });
}

/** Drops events after `step`: a kill between an event and its checkpoint leaves one that will be repeated. */
export async function keepEventsUntil(folder: string, step: number): Promise<void> {
  const events = await readEvents(folder);
  const kept = events.filter((event) => event.step <= step);
  await writeRunFile(folder, 'events.jsonl', kept.map((event) => `${JSON.stringify(event)}\n`).join(''));
}
