import { mkdtemp, open, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, UserError } from '../base/errors.ts';
import { fixable, mkdirWithParents, sync, writeAtomically } from '../base/files.ts';
import type { SearchEvent } from './event.ts';
import { readEvents, readIfThere } from './read-run.ts';

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
  'progress.json',
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
  await fixable(path, async () => {
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
