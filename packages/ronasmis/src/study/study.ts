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
import { resume } from '../search/resume.ts';
import { type SearchHooks, search } from '../search/search.ts';
import { trainArchitecture } from '../search/train-architecture.ts';
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
  return studySchema.shape.settings.parse(recordSettings(withDefaults(searchOptions(options, any))));
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
  const seconds = options.timeSeconds ?? Number.NaN;
  const mostAlone = Math.min(childrenAlone, options.children);
  const later = { runs: mostAlone, seconds: mostAlone * aloneShare * seconds };
  await runAll(options, record, { planned: contests, eachSeconds: seconds, earlier: 0, later }, hooks);
  const { children, steps } = await randomSearch(out, mostAlone);
  const architectures = children.map(({ architecture }) => architecture);
  const epochs = epochsAlone(steps);
  const alone = plannedAlone(architectures, await patchOfBaseChild(out), epochs);
  const eachSeconds = (seconds * epochs) / steps;
  const nothing = { runs: 0, seconds: 0 };
  await runAll(options, record, { planned: alone, eachSeconds, earlier: contests.length, later: nothing }, hooks);
  const read = (runs: readonly PlannedRun[]) => mapConcurrently(runs, ({ name }) => readRun(join(out, name)));
  const [contestRuns, aloneRuns] = [await read(contests), await read(alone)];
  const results = studyResults({ seeds: options.seeds, contestRuns, children, aloneRuns, joules: record.joules });
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
    onRun: hooks.onSearch,
    isOpen: ({ name }: PlannedRun) => !existsSync(join(options.out, name, 'report.json')),
    run: (next: PlannedRun, ofRun: SearchHooks) => runOne(options, record, next, ofRun),
  };
  return runSeries(series, hooks);
}

/** One search, from its beginning or from where it was stopped, and the energy that it takes. */
async function runOne(
  options: StudyOptions,
  record: StudyRecord,
  planned: PlannedRun,
  hooks: SearchHooks,
): Promise<void> {
  const { name } = planned;
  const folder = join(options.out, name);
  const isBegun = existsSync(join(folder, 'run.json'));
  await withEnergy(record, { name, isBegun, write: () => writeStudy(options.out, record) }, () =>
    isBegun ? resume(folder, hooks) : begin(options, record, planned, hooks),
  );
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
