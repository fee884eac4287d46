import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeEngine, type EngineDescription } from '@ronasmis/libtorch';
import { UserError } from '../base/errors.ts';
import { makeFolder } from '../base/files.ts';
import { VERSION } from '../base/version.ts';
import { readDataSet } from '../data/dataset.ts';
import { requireApart } from '../data/outputs.ts';
import { chooseDevice } from '../engine/device.ts';
import { choosePrecision } from '../engine/precision.ts';
import { isLock, lockFolder } from '../run/lock.ts';
import { readRecord } from '../run/read-run.ts';
import { writeRecord } from '../run/run-folder.ts';
import { type StudyRecord, studySchema } from '../run/study-record.ts';
import { recordSettings, withDefaults } from '../search/options.ts';
import { plannedContests, type StudyOptions, searchOptions } from './plan.ts';

const recordName = 'study.json';

/** A study's record, and the folders that were made for it, the outermost first. */
interface OpenStudy {
  readonly record: StudyRecord;
  readonly made: readonly string[];
  /** Lets other processes into the folder; to be called at the end, whatever it is. */
  readonly release: () => Promise<void>;
}

/**
 * The record of the study in `options.out`, a new one where there is none. Seeds are no setting: more of them extend a study.
 * @throws UserError where the folder holds a study of other settings, or anything else
 */
export async function openStudy(options: StudyOptions): Promise<OpenStudy> {
  const { out } = options;
  // Before the folder is made: a mistyped data set should leave nothing behind, nor a libtorch that can't be loaded.
  await requireApart(out, await readDataSet(options.dataSet, options.labelFolder));
  const engine = describeEngine();
  const made = await makeFolder(out);
  const release = await lockFolder(out);
  try {
    return { record: await openRecord(options, engine), made, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function openRecord(options: StudyOptions, engine: EngineDescription): Promise<StudyRecord> {
  const { out } = options;
  const [found, names] = [await readRecord(out, recordName, studySchema), await namesIn(out)];
  const settings = settingsOf(options);
  if (found !== undefined && isBegun(out, names)) {
    requireSame(out, found.settings, settings);
    return found;
  }
  if (found === undefined && names.length > 0) {
    throw new UserError(`${out} holds something else than a study: give a new folder with --out.`);
  }
  const device = chooseDevice(options.device, engine);
  const precision = await choosePrecision(options.precision, device, engine);
  const created = new Date().toISOString();
  const record = { version: VERSION, created, settings, engine: { device, precision }, joules: {} };
  await writeStudy(out, record);
  return record;
}

/** Writes the record over the one before, whole or not at all. */
export function writeStudy(folder: string, record: StudyRecord): Promise<void> {
  return writeRecord(folder, recordName, record);
}

/** Removes what {@link openStudy} wrote of a study none of whose searches has passed its checks: it is to leave nothing behind. */
export async function discardUnbegun(folder: string): Promise<void> {
  if (isBegun(folder, await namesIn(folder))) return;
  await rm(join(folder, recordName), { force: true });
}

/** What a study's folder holds, except the lock. */
const namesIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => !isLock(name));

/** Whether any search has passed its checks: until then, settings that turned out wrong may be replaced. */
function isBegun(folder: string, names: readonly string[]): boolean {
  return names.some((name) => existsSync(join(folder, name, 'run.json')));
}

/** What all searches of a study have in common. */
function settingsOf(options: StudyOptions): StudyRecord['settings'] {
  const [any] = plannedContests({ ...options, seeds: 1 });
  return studySchema.shape.settings.parse(recordSettings(withDefaults(searchOptions(options, any))));
}

function requireSame(folder: string, found: StudyRecord['settings'], wanted: StudyRecord['settings']): void {
  const values = Object.entries(wanted);
  const other = Object.entries(found).flatMap(([name, value]) => {
    const asked = values.find(([same]) => same === name)?.[1];
    return value === asked ? [] : [`${name.replaceAll('_', ' ')} ${value} instead of ${asked}`];
  });
  if (other.length === 0) return;
  throw new UserError(
    `${folder} holds a study of other settings (${other.join(', ')}): type those again to go on with it, or give another folder with --out.`,
  );
}
