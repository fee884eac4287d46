import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { UserError } from '../base/errors.ts';
import { removeWhereEmpty } from '../base/files.ts';
import { renderStudy } from '../report/study-page.ts';
import { readRun } from '../run/read-run.ts';
import { writeRunFile } from '../run/run-folder.ts';
import type { StudyRecord, StudyResults } from '../run/study-record.ts';
import { resume } from '../search/resume.ts';
import { type SearchHooks, search } from '../search/search.ts';
import { trainArchitecture } from '../search/train-architecture.ts';
import { openEnergyMeter } from './energy.ts';
import {
  aloneShare,
  childrenAlone,
  epochsAlone,
  type PlannedRun,
  pickChildren,
  plannedAlone,
  plannedContests,
  runName,
  type SharedChild,
  type StudyOptions,
  searchOptions,
  trainingOptions,
} from './plan.ts';
import { studyResults } from './results.ts';
import { discardUnbegun, openStudy, writeStudy } from './study-folder.ts';

export type { StudyOptions } from './plan.ts';

/**
 * How a study is watched and stopped: as a search is, but that the time left is that of the whole study, and that `onStart` is told of
 * the first search alone.
 */
export interface StudyHooks extends SearchHooks {
  /** Told before each search; `number` is its place among all `total`, from 1. */
  readonly onSearch?: (search: { readonly run: string; readonly number: number; readonly total: number }) => void;
}

/**
 * Is the search worth its time? Runs every controller, and the fixed space, with the same budget and several seeds, then trains some
 * children of random search alone, to see whether shared weights rank children as their own would; compares, and writes `study.json`
 * and `study.html`. What the folder holds of the study is not run again, so that a study that was stopped or killed goes on.
 *
 * @throws UserError for what is wrong with the data set, the options or the folder
 */
export async function study(options: StudyOptions, hooks: StudyHooks = {}): Promise<StudyResults> {
  const { record, made, release } = await openStudy(options);
  try {
    return await runStudy(options, record, hooks);
  } catch (error) {
    // The first error is the one to be told.
    await discardUnbegun(options.out).catch(() => {});
    throw error;
  } finally {
    await release();
    await removeWhereEmpty(made);
  }
}

async function runStudy(options: StudyOptions, record: StudyRecord, hooks: StudyHooks): Promise<StudyResults> {
  const { out } = options;
  const contests = plannedContests(options);
  const seconds = options.timeSeconds ?? Number.NaN;
  const mostAlone = Math.min(childrenAlone, options.children);
  const later = { runs: mostAlone, seconds: mostAlone * aloneShare * seconds };
  await runSearches(options, record, { planned: contests, eachSeconds: seconds, earlier: 0, later }, hooks);
  const { children, steps } = await randomSearch(out, mostAlone);
  const architectures = children.map(({ architecture }) => architecture);
  const epochs = epochsAlone(steps);
  const alone = plannedAlone(architectures, await patchOfBaseChild(out), epochs);
  const eachSeconds = (seconds * epochs) / steps;
  const nothing = { runs: 0, seconds: 0 };
  await runSearches(options, record, { planned: alone, eachSeconds, earlier: contests.length, later: nothing }, hooks);
  const read = (runs: readonly PlannedRun[]) => mapConcurrently(runs, ({ name }) => readRun(join(out, name)));
  const [contestRuns, aloneRuns] = [await read(contests), await read(alone)];
  const results = studyResults({ seeds: options.seeds, contestRuns, children, aloneRuns, joules: record.joules });
  const finished = { ...record, results };
  await writeStudy(out, finished);
  await writeRunFile(out, 'study.html', renderStudy(finished, results));
  return results;
}

/** Searches of a study that follow each other. */
interface Stage {
  readonly planned: readonly PlannedRun[];
  /** About what each takes; NaN where that is not known. */
  readonly eachSeconds: number;
  /** Runs of the stages before. */
  readonly earlier: number;
  /** What is to follow: how many runs, and about how long they take together. */
  readonly later: { readonly runs: number; readonly seconds: number };
}

/** Runs one search after the other, but those that have finished. */
async function runSearches(
  options: StudyOptions,
  record: StudyRecord,
  { planned, eachSeconds, earlier, later }: Stage,
  hooks: StudyHooks,
): Promise<void> {
  const isOpen = ({ name }: PlannedRun): boolean => !existsSync(join(options.out, name, 'report.json'));
  let isFirst = earlier === 0;
  for (const [index, next] of planned.entries()) {
    if (!isOpen(next)) continue;
    hooks.signal?.throwIfAborted();
    hooks.onSearch?.({ run: next.name, number: earlier + index + 1, total: earlier + planned.length + later.runs });
    const secondsAfter = planned.slice(index + 1).filter(isOpen).length * eachSeconds + later.seconds;
    await runSearch(options, record, next, withTimeOfStudy(hooks, secondsAfter, isFirst));
    isFirst = false;
  }
}

/** Adds the seconds of the searches that follow to a search's time left; tells none where they are not known. */
function withTimeOfStudy(
  { onProgress, onStart, onWarning, signal }: StudyHooks,
  secondsAfter: number,
  isFirst: boolean,
): SearchHooks {
  return {
    ...(signal && { signal }),
    ...(onWarning && { onWarning }),
    ...(onStart && isFirst && { onStart }),
    onProgress: ({ secondsLeft, ...progress }) => {
      const ofStudy = (secondsLeft ?? Number.NaN) + secondsAfter;
      onProgress?.({ ...progress, ...(Number.isFinite(ofStudy) && { secondsLeft: ofStudy }) });
    },
  };
}

/** One search, from its beginning or from where it was stopped, and the energy that it takes. */
async function runSearch(
  options: StudyOptions,
  record: StudyRecord,
  planned: PlannedRun,
  hooks: SearchHooks,
): Promise<void> {
  const folder = join(options.out, planned.name);
  const isBegun = existsSync(join(folder, 'run.json'));
  const before = isBegun ? (record.joules[planned.name] ?? null) : 0;
  const note = async (joules: number | null): Promise<void> => {
    record.joules[planned.name] = joules;
    await writeStudy(options.out, record);
  };
  // Unknown until it has ended, for a kill leaves no time to say it.
  await note(null);
  const meter = await openEnergyMeter(record.engine.device);
  try {
    if (isBegun) await resume(folder, hooks);
    else await begin(options, record, planned, hooks);
  } finally {
    const joules = await meter.close();
    await note(before === null || joules === null ? null : before + joules);
  }
}

function begin(
  options: StudyOptions,
  { engine }: StudyRecord,
  planned: PlannedRun,
  hooks: SearchHooks,
): Promise<unknown> {
  if (!('architecture' in planned)) return search({ ...searchOptions(options, planned), ...engine }, hooks);
  return trainArchitecture(planned.architecture, { ...trainingOptions(options, planned), ...engine }, hooks);
}

/**
 * What is trained alone: of the first seed's random search, children of the last step, so that all were evaluated with the same weights; and for
 * how many controller steps those were trained. The last step may be a longer one.
 */
async function randomSearch(
  out: string,
  mostAlone: number,
): Promise<{ children: readonly SharedChild[]; steps: number }> {
  const folder = join(out, runName('random', 1));
  const { events } = await readRun(folder);
  const [first, last] = [events.at(0), events.at(-1)];
  if (first === undefined || last === undefined)
    throw new UserError(`${folder} has no events any more: delete it and type the command again.`);
  return { children: pickChildren(last.children, mostAlone), steps: last.steps / first.steps };
}

/** The base architecture's training patch: the largest. */
async function patchOfBaseChild(out: string): Promise<Architecture['patch']> {
  const folder = join(out, runName('fixed', 1));
  const { architecture } = await readRun(folder);
  if (architecture === undefined)
    throw new UserError(`${folder} has no architecture any more: delete it and type the command again.`);
  return architecture.patch;
}
