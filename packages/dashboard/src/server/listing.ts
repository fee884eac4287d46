import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, formatDice, formatSeconds, rowOf, thin } from 'ronasmis/report';
import {
  type CompareResults,
  type HeadroomResults,
  isAtWork,
  type RunFiles,
  readComparison,
  readHeadroom,
  readRun,
  readStudy,
  type StudyResults,
} from 'ronasmis/run';
import type { ListedFolder, ListedRun, ResultTable } from '../shared/messages.ts';
import { kindOfFolder, type NamedFolder, type RunFolder, runsOf } from './folders.ts';

/** Points of a curve in the list. */
const pointsListed = 120;
/** Bytes of events that are read for a curve in the list; a longer run shows its own on its page. */
const mostBytes = 2 ** 23;

/** What is known of every folder and its runs. Runs are read again only where they have changed. */
export function createListing(folders: readonly NamedFolder[]): () => Promise<readonly ListedFolder[]> {
  const known = new Map<string, { readonly signature: string; readonly listed: ListedRun }>();
  const listedRun = async (run: RunFolder): Promise<ListedRun> => {
    const signature = await signatureOf(run.path);
    const before = known.get(run.path);
    if (before?.signature === signature) return before.listed;
    const listed = await listRun(run);
    known.set(run.path, { signature, listed });
    return listed;
  };
  return async () => {
    const listed: ListedFolder[] = [];
    for (const folder of folders) {
      const kind = await kindOfFolder(folder);
      const runs: ListedRun[] = [];
      for (const run of await runsOf(folder, kind)) runs.push(await listedRun(run));
      const { results, problem } = await resultsOf(folder.path, kind);
      listed.push({ id: folder.id, name: folder.path, kind, runs, results, problem });
    }
    return listed;
  };
}

/** By when its files were changed, and whether a process works there. */
async function signatureOf(path: string): Promise<string> {
  const times = ['run.json', 'events.jsonl', 'report.json', '.lock'].map((name) =>
    stat(join(path, name)).then(
      ({ mtimeMs, size }) => `${mtimeMs} ${size}`,
      () => '',
    ),
  );
  const atWork = await isAtWork(path).catch(() => false);
  return `${(await Promise.all(times)).join()} ${atWork}`;
}

async function listRun({ id, name, path }: RunFolder): Promise<ListedRun> {
  const nothing = { dataSet: null, controller: null, space: null, steps: 0, seconds: 0, best: null, testDice: null };
  const waiting = { id, name, ...nothing, curve: [], standing: 'waiting', problem: null } as const;
  try {
    const size = await stat(join(path, 'events.jsonl')).then(
      (found) => found.size,
      () => 0,
    );
    if (size > mostBytes)
      return { ...waiting, standing: 'stopped', problem: 'Too long to be listed with a curve: open it.' };
    const files = await readRun(path);
    return { ...waiting, ...figuresOf(files), standing: await standingOf(files) };
  } catch (error) {
    const isThere = await stat(join(path, 'run.json')).then(
      () => true,
      () => false,
    );
    return isThere
      ? { ...waiting, standing: 'stopped', problem: String(error instanceof Error ? error.message : error) }
      : waiting;
  }
}

async function standingOf({ folder, report }: RunFiles): Promise<ListedRun['standing']> {
  if (report !== undefined) return 'finished';
  return (await isAtWork(folder).catch(() => false)) ? 'running' : 'stopped';
}

function figuresOf({ run: { settings }, events, report }: RunFiles): Partial<ListedRun> {
  const rows = events.map(rowOf);
  const best = rows.flatMap((row) => row.best ?? []);
  return {
    dataSet: settings.data_set,
    controller: settings.system ?? settings.controller,
    space: settings.space,
    steps: events.at(-1)?.step ?? 0,
    seconds: report?.seconds ?? events.at(-1)?.seconds ?? 0,
    best: best.at(-1) ?? null,
    testDice: report?.test_dice.mean ?? null,
    curve: thin(rows, pointsListed).flatMap(({ seconds, best }) => (best === null ? [] : [[seconds, best] as const])),
  };
}

type Found = Pick<ListedFolder, 'results' | 'problem'>;

async function resultsOf(path: string, kind: ListedFolder['kind']): Promise<Found> {
  try {
    return { results: await tableOf(path, kind), problem: null };
  } catch (error) {
    return { results: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function tableOf(path: string, kind: ListedFolder['kind']): Promise<ResultTable | null> {
  switch (kind) {
    case 'run':
      return null;
    case 'study':
      return studyTable((await readStudy(path)).results);
    case 'compare':
      return compareTable((await readComparison(path)).results);
    case 'headroom':
      return headroomTable((await readHeadroom(path)).results);
  }
}

function studyTable(results: StudyResults | undefined): ResultTable | null {
  if (results === undefined) return null;
  return {
    head: ['contestant', 'searches', 'test Dice, %', 'standard deviation'],
    rows: results.contestants.map(({ name, test_dice: { count, mean, deviation } }) => [
      name,
      String(count),
      formatDice(mean),
      formatDice(deviation),
    ]),
  };
}

function compareTable(results: CompareResults | undefined): ResultTable | null {
  if (results === undefined) return null;
  return {
    head: ['system', 'runs', 'test Dice, %', 'HD95, mm', 'training', 'a case', 'peak memory'],
    rows: results.systems.map(({ title, runs, figures }) => [
      title,
      String(runs.length),
      figures === null ? '–' : formatDice(figures.dice),
      figures?.hd95_mm?.toFixed(2) ?? '–',
      figures === null ? '–' : formatSeconds(figures.training_seconds),
      figures === null ? '–' : formatSeconds(figures.prediction_seconds_per_case),
      figures?.peak_memory_bytes == null ? '–' : formatBytes(figures.peak_memory_bytes),
    ]),
  };
}

function headroomTable(results: HeadroomResults | undefined): ResultTable | null {
  if (results === undefined) return null;
  return {
    head: ['change', 'runs', 'gain in test Dice, points'],
    rows: results.variants.map(({ what, runs, gain, problem }) => [
      what,
      String(runs.length),
      gain === null ? (problem ?? '–') : (100 * gain.difference).toFixed(2),
    ]),
  };
}
