import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, readdir, readFile, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { mapConcurrently } from '../base/concurrency.ts';
import { makeFolder, mkdirWithParents, removeWhereEmpty, writeAtomically } from '../base/files.ts';
import { tripleSchema, voxelsOf } from '../base/geometry.ts';
import { VERSION } from '../base/version.ts';
import { cropSchema } from '../data/crop.ts';
import type { DataSet } from '../data/dataset.ts';
import { fingerprintSchema } from '../data/fingerprint.ts';
import { normalisationSchema } from '../data/normalisation.ts';
import { problemSchema } from '../data/problem.ts';
import { formatByName } from '../formats/formats.ts';
import { turnSchema } from '../formats/orientation.ts';
import { defaultRecipe } from '../recipe/recipe.ts';
import { foregroundOf } from './foreground.ts';
import { caseBytes, type PreparedCase, type PreparedDataSet, type PrepareOptions, prepareDataSet } from './prepare.ts';
import { type CaseFiles, type CaseStorage, caseFiles, imageSpan, labelSpan, moveToDisk } from './storage.ts';

const caseSchema = z.object({
  name: z.string(),
  labelFile: z.string(),
  labelTurn: turnSchema,
  channels: z.int().positive(),
  shape: tripleSchema,
  spacing: tripleSchema,
  scanSpacing: tripleSchema,
  crop: cropSchema,
  labelled: z.array(z.int()).readonly(),
  lost: z.array(z.int()).readonly(),
  outsideCrop: z.array(z.number()).readonly(),
  scattered: z.array(z.int()).readonly(),
  /** Of the two files of raw values, which a power cut may have left half written. */
  sha256: z.object({ image: z.string(), label: z.string() }),
});
type KeptCase = z.infer<typeof caseSchema>;

const keptSchema = z.object({
  cases: z.array(caseSchema).readonly(),
  fingerprint: fingerprintSchema,
  normalisations: z.array(normalisationSchema).readonly(),
  warnings: z.array(problemSchema).readonly(),
});

/** Raised when cases are prepared in another way than before by a version of the same number. */
const PREPARATION = 5;
const RECORD = 'prepared.json';
/** Cases are kept where they take no more than so much of what the disk has free. */
const shareOfDisk = 0.1;
const daysUnused = 7;

/** A data set that is ready for training, and can be kept so. */
export interface KeepableDataSet extends PreparedDataSet {
  /**
   * Keeps what was prepared for the next time; where there is no room for it, nothing. To be called once nothing else is wrong: what is refused
   * leaves nothing behind.
   */
  keep(): Promise<void>;
}

/**
 * As {@link prepareDataSet}, but what was kept in `keptFolder` is taken from there, as long as no file of the data set, none of its settings and
 * no version has changed. Nobody has to look after it: what was not used for a week is removed.
 */
export async function prepareOnce(
  dataSet: DataSet,
  options: PrepareOptions & { readonly keptFolder: string },
): Promise<KeepableDataSet> {
  const nothing = async (): Promise<void> => {};
  const key = await keyOf(dataSet, options);
  if (key === undefined) return { ...(await prepareDataSet(dataSet, options)), keep: nothing };
  const folder = join(options.keptFolder, key);
  const kept = await readKept(folder, options).catch(() => undefined);
  if (kept !== undefined) return { ...kept, keep: nothing };
  const prepared = await prepareDataSet(dataSet, options);
  // Without it, the next search takes a little longer; this one is none the worse.
  return { ...prepared, keep: () => keep(folder, options.keptFolder, prepared).catch(nothing) };
}

/**
 * What decides how a data set is prepared, as a name: its settings, and of each file the size and the time of its last change, which no
 * program can set. None where that does not say everything: of some formats, files may name others.
 */
async function keyOf(
  dataSet: DataSet,
  { folds, recipe = defaultRecipe.preparation }: PrepareOptions,
): Promise<string | undefined> {
  const files = dataSet.cases.flatMap(({ images, label }) => [...images, label]);
  if (files.some((file) => formatByName(file)?.kind !== 'one_file')) return undefined;
  const states = await mapConcurrently(files, (file) => stat(file, { bigint: true }).catch(() => undefined));
  const hash = createHash('sha256').update(
    JSON.stringify([PREPARATION, VERSION, endianness(), folds, recipe, dataSet]),
  );
  states.forEach((state, at) => {
    hash.update(`${files[at]} ${state?.size} ${state?.ino} ${state?.ctimeNs}\n`);
  });
  return states.includes(undefined) ? undefined : hash.digest('hex').slice(0, 16);
}

/** @returns undefined, or rejects, where it is not there or not whole */
async function readKept(
  folder: string,
  { cacheFolder, memoryLimitBytes = Number.POSITIVE_INFINITY, onCase }: PrepareOptions,
): Promise<PreparedDataSet> {
  const record = keptSchema.parse(JSON.parse(await readFile(join(folder, RECORD), 'utf8')));
  const now = new Date();
  await utimes(join(folder, RECORD), now, now);
  const onDisk = bytesOf(record.cases) > memoryLimitBytes;
  if (onDisk) await makeFolder(cacheFolder);
  let done = 0;
  const cases = await mapConcurrently(record.cases, async ({ sha256, ...geometry }): Promise<PreparedCase> => {
    const files = caseFiles(join(folder, geometry.name));
    const voxels = voxelsOf(geometry.shape);
    const storage = onDisk
      ? await linkFiles(files, join(cacheFolder, geometry.name))
      : toMemory(files, geometry.channels, voxels);
    if (!isDeepStrictEqual(await hashesOf(storage), sha256)) throw new Error(`${folder}: ${geometry.name} is damaged.`);
    done += 1;
    onCase?.(done, record.cases.length);
    return { ...geometry, storage, ...foregroundOf(labelSpan(storage, 0, voxels)) };
  });
  return { ...record, cases };
}

/** Writes what was prepared under a temporary name and renames it: another search sees nothing or all. */
async function keep(folder: string, keptFolder: string, { cases, ...rest }: PreparedDataSet): Promise<void> {
  const made = await mkdirWithParents(keptFolder);
  const temporary = `${folder}.${randomBytes(4).toString('hex')}`;
  try {
    await removeUnused(keptFolder);
    const { bavail, bsize } = await statfs(keptFolder);
    if (bytesOf(cases) > shareOfDisk * bavail * bsize) return;
    await mkdir(temporary);
    const kept = await mapConcurrently(
      cases,
      async ({ storage, foreground: _, classForeground: __, ...geometry }): Promise<KeptCase> => {
        const path = join(temporary, geometry.name);
        if (storage.kind === 'memory') await moveToDisk(path, storage.image, storage.label);
        else await linkFiles(storage, path);
        return { ...geometry, sha256: await hashesOf(storage) };
      },
    );
    const record: z.infer<typeof keptSchema> = { ...rest, cases: kept };
    await writeAtomically(join(temporary, RECORD), Buffer.from(JSON.stringify(record)));
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await removeWhereEmpty(made);
  }
}

const bytesOf = (cases: readonly Pick<PreparedCase, 'channels' | 'shape'>[]): number =>
  cases.reduce((sum, one) => sum + caseBytes(one), 0);

/** What {@link prepareOnce} calls its folders, and {@link keep} those that are not whole yet. */
const keptName = /^[0-9a-f]{16}(\.[0-9a-f]{8})?$/;

/** Removes what was neither made nor used for a week, be it a data set or what a killed search has left half written. */
async function removeUnused(keptFolder: string): Promise<void> {
  for (const name of (await readdir(keptFolder)).filter((name) => keptName.test(name))) {
    const path = join(keptFolder, name);
    const { mtimeMs } = await stat(join(path, RECORD)).catch(() => stat(path));
    if (Date.now() - mtimeMs > daysUnused * 86_400_000) await rm(path, { recursive: true, force: true });
  }
}

/** Of arrays in memory themselves, so that what a disk makes of them is found out when it is read. */
async function hashesOf(storage: CaseStorage): Promise<KeptCase['sha256']> {
  const hashOf = async (parts: Iterable<Uint8Array | Float32Array> | AsyncIterable<Uint8Array>): Promise<string> => {
    const hash = createHash('sha256');
    for await (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  if (storage.kind === 'memory') return { image: await hashOf([storage.image]), label: await hashOf([storage.label]) };
  const { imageFile, labelFile } = storage;
  return { image: await hashOf(createReadStream(imageFile)), label: await hashOf(createReadStream(labelFile)) };
}

/** The same files under other names, so that they stay when the first names are removed. */
async function linkFiles(from: CaseFiles, path: string): Promise<CaseStorage> {
  const to = caseFiles(path);
  for (const file of Object.values(to)) await rm(file, { force: true });
  await link(from.imageFile, to.imageFile);
  await link(from.labelFile, to.labelFile);
  return { kind: 'disk', ...to };
}

function toMemory(files: CaseFiles, channels: number, voxels: number): CaseStorage {
  const image = new Float32Array(new SharedArrayBuffer(4 * channels * voxels));
  const label = new Uint8Array(new SharedArrayBuffer(voxels));
  image.set(imageSpan({ kind: 'disk', ...files }, 0, image.length));
  label.set(labelSpan({ kind: 'disk', ...files }, 0, label.length));
  return { kind: 'memory', image, label };
}
