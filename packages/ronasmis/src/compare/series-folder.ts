import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeEngine, type EngineDescription } from '@ronasmis/libtorch';
import type { ZodType } from 'zod';
import { UserError } from '../base/errors.ts';
import { makeFolder } from '../base/files.ts';
import { VERSION } from '../base/version.ts';
import { readDataSet } from '../data/dataset.ts';
import { requireApart } from '../data/outputs.ts';
import { type ComputeDevice, chooseDevice, type Precision } from '../engine/device.ts';
import { choosePrecision } from '../engine/precision.ts';
import { isLock, lockFolder } from '../run/lock.ts';
import { readRecord } from '../run/read-run.ts';
import { writeRecord } from '../run/run-folder.ts';

/** What is recorded of several runs in one folder: what they have in common, and what each used. */
export interface SeriesRecord {
  readonly version: string;
  readonly created: string;
  /** All that the runs have in common. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What `auto` came to. */
  readonly engine: { readonly device: ComputeDevice; readonly precision: Precision };
  /** By run, joules that were used while it ran; null where the machine does not tell or a kill left them unknown. */
  readonly joules: Record<string, number | null>;
}

/** A kind of several runs in one folder. */
export interface SeriesKind<Series extends SeriesRecord> {
  /** What its folder holds, in a sentence: `a study`. */
  readonly what: string;
  /** The name of its record's file. */
  readonly file: string;
  readonly schema: ZodType<Series>;
}

/** Where runs are put, of which data set, and what they compute on. */
export interface SeriesOptions {
  readonly dataSet: string;
  readonly labelFolder?: string;
  readonly out: string;
  readonly device: 'auto' | ComputeDevice;
  readonly precision: 'auto' | Precision;
}

/** A record, and the folders that were made for it, the outermost first. */
export interface OpenSeries<Series> {
  readonly record: Series;
  /** Whether it was begun just now. */
  readonly isNew: boolean;
  readonly made: readonly string[];
  /** Lets other processes into the folder; to be called at the end, whatever it is. */
  readonly release: () => Promise<void>;
}

/**
 * The record of the runs in `options.out`, a new one where there is none.
 * @param begin makes a record of what every one has
 * @throws UserError where the folder holds runs of other settings, or anything else
 */
export async function openSeries<Series extends SeriesRecord>(
  kind: SeriesKind<Series>,
  options: SeriesOptions,
  settings: Series['settings'],
  begin: (common: Omit<SeriesRecord, 'settings'>, engine: EngineDescription) => Series | Promise<Series>,
): Promise<OpenSeries<Series>> {
  const { out } = options;
  // Before the folder is made: a mistyped data set should leave nothing behind, nor a libtorch that can't be loaded.
  await requireApart(out, await readDataSet(options.dataSet, options.labelFolder));
  const engine = describeEngine();
  const made = await makeFolder(out);
  const release = await lockFolder(out);
  try {
    const found = await readFound(kind, out, settings);
    if (found) return { record: found, isNew: false, made, release };
    const record = await begin({ ...(await commonOf(options, engine)), joules: {} }, engine);
    await writeRecord(out, kind.file, record);
    return { record, isNew: true, made, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** The record that goes on; undefined where a new one is to be begun. */
async function readFound<Series extends SeriesRecord>(
  { what, file, schema }: SeriesKind<Series>,
  out: string,
  settings: Series['settings'],
): Promise<Series | undefined> {
  const [found, names] = [await readRecord(out, file, schema), await namesIn(out)];
  if (found !== undefined && isBegun(out, names)) {
    requireSame(`${out} holds ${what}`, found.settings, settings);
    return found;
  }
  if (found === undefined && names.length > 0) {
    throw new UserError(`${out} holds something else than ${what}: give a new folder with --out.`);
  }
  return undefined;
}

async function commonOf(options: SeriesOptions, engine: EngineDescription) {
  const device = chooseDevice(options.device, engine);
  const precision = await choosePrecision(options.precision, device, engine);
  return { version: VERSION, created: new Date().toISOString(), engine: { device, precision } };
}

/** Removes the record of a folder in which no run has left anything, as none has passed its checks: it is to leave nothing behind. */
export async function discardUnbegun(folder: string, file: string): Promise<void> {
  if ((await namesIn(folder)).some((name) => name !== file)) return;
  await rm(join(folder, file), { force: true });
}

/** What a folder holds, except the lock. */
const namesIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => !isLock(name));

/** Whether any run has passed its checks: until then, settings that turned out wrong may be replaced. */
function isBegun(folder: string, names: readonly string[]): boolean {
  return names.some((name) => existsSync(join(folder, name, 'run.json')));
}

function requireSame(holds: string, found: SeriesRecord['settings'], wanted: SeriesRecord['settings']): void {
  const names = new Set([...Object.keys(found), ...Object.keys(wanted)]);
  const other = [...names].flatMap((name) =>
    found[name] === wanted[name]
      ? []
      : [`${name.replaceAll('_', ' ')} ${said(found[name])} instead of ${said(wanted[name])}`],
  );
  if (other.length === 0) return;
  throw new UserError(
    `${holds} of other settings (${other.join(', ')}): type those again to go on with it, or give another folder with --out.`,
  );
}

const said = (setting: unknown): string => String(setting ?? 'none');
