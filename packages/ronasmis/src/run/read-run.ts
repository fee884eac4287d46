import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ZodType } from 'zod';
import { type Architecture, architectureSchema } from '../architecture/architecture.ts';
import { codeOf, UserError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { type CompareRecord, compareSchema } from './compare-record.ts';
import { eventSchema, type SearchEvent } from './event.ts';
import { type HeadroomRecord, headroomSchema } from './headroom-record.ts';
import { reportSchema, type SearchReport } from './report.ts';
import { type RunRecord, runSchema } from './run-record.ts';
import { type StudyRecord, studySchema } from './study-record.ts';

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

/** The events of a run folder; none where it has no such file. @throws UserError where one is damaged */
export async function readEvents(folder: string): Promise<readonly SearchEvent[]> {
  const path = join(folder, 'events.jsonl');
  return [...parseEvents(path, (await readIfThere(path)) ?? '')];
}

/**
 * The events in a text of `events.jsonl`. Every whole line ends in a newline: what follows the last one is half written, or was cut short by
 * a kill. Those before a damaged one are told all the same.
 * @param before lines of the file that precede this text
 */
export function* parseEvents(path: string, text: string, before = 0): Generator<SearchEvent, void, void> {
  const lines = text.split('\n').slice(0, -1);
  for (const [i, line] of lines.entries()) yield parse(`${path}, line ${before + i + 1},`, line, eventSchema);
}

/** Reads a study's record, finished or not. @throws UserError where the folder holds no study or the record is damaged */
export async function readStudy(folder: string): Promise<StudyRecord> {
  const study = await readRecord(folder, 'study.json', studySchema);
  if (study !== undefined) return study;
  throw new UserError(`${folder} is no study, for it has no study.json: name the folder given to study --out.`);
}

/** Reads the record of a comparison, finished or not. @throws UserError where the folder holds none or the record is damaged */
export async function readComparison(folder: string): Promise<CompareRecord> {
  const found = await readRecord(folder, 'compare.json', compareSchema);
  if (found !== undefined) return found;
  throw new UserError(
    `${folder} is no comparison, for it has no compare.json: name the folder given to compare --out.`,
  );
}

/** Reads the record of a study of the headroom, finished or not. @throws UserError where the folder holds none or the record is damaged */
export async function readHeadroom(folder: string): Promise<HeadroomRecord> {
  const found = await readRecord(folder, 'headroom.json', headroomSchema);
  if (found !== undefined) return found;
  throw new UserError(
    `${folder} is no study of the headroom, for it has no headroom.json: name the folder of study --headroom.`,
  );
}

/** A record of a run folder, a study or a comparison; undefined where it is not there. @throws UserError where it is damaged */
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

/** The text of a file; undefined where it is not there. @throws UserError where it can't be read */
export async function readIfThere(path: string): Promise<string | undefined> {
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
