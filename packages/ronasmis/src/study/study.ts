import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { UserError } from '../base/errors.ts';
import { removeWhereEmpty } from '../base/files.ts';
import { type RunPlace, runSeries, type Series, withEnergy } from '../compare/series.ts';
import { discardUnbegun, openSeries, type SeriesKind } from '../compare/series-folder.ts';
import { renderStudy } from '../report/study-page.ts';
import { readRun } from '../run/read-run.ts';
import { writeRecord, writeRunFile } from '../run/run-folder.ts';
import { type StudyRecord, type StudyResults, studySchema } from '../run/study-record.ts';
import { recordSettings, withDefaults } from '../search/options.ts';
import type { SearchHooks } from '../search/search.ts';
import { memoryShare, runJobAmong } from './apart.ts';
import type { Job } from './job.ts';
import {
  aloneShare,
  childrenAlone,
  epochsAlone,
  type PlannedRun,
  pickChildren,
  plannedAlone,
  plannedContests,
  roundsOf,
  type SharedChild,
  type StudyOptions,
  searchName,
  searchOptions,
  trainingOptions,
} from './plan.ts';
import { studyResults } from './results.ts';

export type { StudyOptions } from './plan.ts';

/**
 * How a study is watched and stopped: as a search is, but that the time left is that of the whole study, and that `onStart` is told of
 * the first search alone.
 */
export interface StudyHooks extends SearchHooks {
  /** Told before each search; `number` is its place among all `total`, from 1. */
  readonly onSearch?: (search: RunPlace) => void;
}

const kind: SeriesKind<StudyRecord> = { what: 'a study', file: 'study.json', schema: studySchema };

/** Writes the record over the one before, whole or not at all. */
const writeStudy = (folder: string, record: StudyRecord): Promise<void> => writeRecord(folder, kind.file, record);

/** What all searches of a study have in common. Seeds are no setting: more of them extend a study. */
function settingsOf(options: StudyOptions): StudyRecord['settings'] {
  const [any] = plannedContests({ ...options, seeds: 1 });
  const settings = recordSettings(withDefaults(searchOptions(options, any)));
  return studySchema.shape.settings.parse({
    ...settings,
    fold: options.fold ?? null,
    side_by_side: options.sideBySide,
  });
}

/**
 * Is the search worth its time? Runs every controller, and the fixed space, with the same budget and several seeds, then trains some
 * children of random search alone, to see whether shared weights rank children as their own would; compares, and writes `study.json`
 * and `study.html`. What the folder holds of the study is not run again, so that a study that was stopped or killed goes on.
 *
 * @throws UserError for what is wrong with the data set, the options or the folder
 */
export async function study(options: StudyOptions, hooks: StudyHooks = {}): Promise<StudyResults> {
  const settings = settingsOf(options);
  const { record, made, release } = await openSeries(kind, options, settings, (common) => ({ ...common, settings }));
  try {
    return await runStudy(options, record, hooks);
  } catch (error) {
    // The first error is the one to be told.
    await discardUnbegun(options.out, kind.file).catch(() => {});
    throw error;
  } finally {
    await release();
    await removeWhereEmpty(made);
  }
}

async function runStudy(options: StudyOptions, record: StudyRecord, hooks: StudyHooks): Promise<StudyResults> {
  const { out } = options;
  const contests = plannedContests(options);
  const [{ fold }] = roundsOf(options);
  const seconds = options.timeSeconds ?? Number.NaN;
  const mostAlone = Math.min(childrenAlone, options.children);
  const later = { runs: mostAlone, seconds: mostAlone * aloneShare * seconds };
  await runAll(options, record, { planned: contests, eachSeconds: seconds, earlier: 0, later }, hooks);
  const { children, steps } = await randomSearch(options, mostAlone);
  const architectures = children.map(({ architecture }) => architecture);
  const epochs = epochsAlone(steps);
  const alone = plannedAlone(architectures, { patch: await patchOfBaseChild(options), epochs, fold });
  const eachSeconds = (seconds * epochs) / steps;
  const nothing = { runs: 0, seconds: 0 };
  await runAll(options, record, { planned: alone, eachSeconds, earlier: contests.length, later: nothing }, hooks);
  const read = (runs: readonly PlannedRun[]) => mapConcurrently(runs, ({ name }) => readRun(join(out, name)));
  const [contestRuns, aloneRuns] = [await read(contests), await read(alone)];
  const results = studyResults({ options, contestRuns, children, aloneRuns, joules: record.joules });
  const finished = { ...record, results };
  await writeStudy(out, finished);
  await writeRunFile(out, 'study.html', renderStudy(finished, results));
  return results;
}

/** Runs those that have not finished, one after the other. */
function runAll(
  options: StudyOptions,
  record: StudyRecord,
  stage: Pick<Series<PlannedRun>, 'planned' | 'eachSeconds' | 'earlier' | 'later'>,
  hooks: StudyHooks,
): Promise<void> {
  const series = {
    ...stage,
    atOnce: options.sideBySide,
    onRun: hooks.onSearch,
    isOpen: ({ name }: PlannedRun) => !existsSync(join(options.out, name, 'report.json')),
    run: (next: PlannedRun, ofRun: SearchHooks) => runOne(options, record, next, ofRun),
  };
  return runSeries(series, hooks);
}

/** The run folder of a contestant's first search. */
const firstRun = (options: StudyOptions, contestant: string): string =>
  join(options.out, searchName(contestant, roundsOf(options)[0], options));

/** One search, from its beginning or from where it was stopped, and the energy that it takes. */
async function runOne(
  options: StudyOptions,
  record: StudyRecord,
  planned: PlannedRun,
  hooks: SearchHooks,
): Promise<void> {
  const { name } = planned;
  const run = (): Promise<void> => runJobAmong(options, jobOf(options, record, planned), hooks);
  // What the machine uses is nobody's own where several run.
  if (options.sideBySide > 1) return run();
  const isBegun = existsSync(join(options.out, name, 'run.json'));
  await withEnergy(record, { name, isBegun, write: () => writeStudy(options.out, record) }, run);
}

function jobOf(options: StudyOptions, { engine }: StudyRecord, planned: PlannedRun): Job {
  const shared = { ...engine, ...memoryShare(options, engine.device) };
  if (!('architecture' in planned)) {
    return { kind: 'search', options: { ...searchOptions(options, planned), ...shared } };
  }
  const { architecture } = planned;
  return { kind: 'training', architecture, options: { ...trainingOptions(options, planned), ...shared } };
}

/**
 * What is trained alone: of the first seed's random search, children of the last step, so that all were evaluated with the same weights; and for
 * how many controller steps those were trained. The last step may be a longer one.
 */
async function randomSearch(
  options: StudyOptions,
  mostAlone: number,
): Promise<{ children: readonly SharedChild[]; steps: number }> {
  const folder = firstRun(options, 'random');
  const { events } = await readRun(folder);
  const [first, last] = [events.at(0), events.at(-1)];
  if (first === undefined || last === undefined)
    throw new UserError(`${folder} has no events any more: delete it and type the command again.`);
  return { children: pickChildren(last.children, mostAlone), steps: last.steps / first.steps };
}

/** The base architecture's training patch: the largest. */
async function patchOfBaseChild(options: StudyOptions): Promise<Architecture['patch']> {
  const folder = firstRun(options, 'fixed');
  const { architecture } = await readRun(folder);
  if (architecture === undefined)
    throw new UserError(`${folder} has no architecture any more: delete it and type the command again.`);
  return architecture.patch;
}
