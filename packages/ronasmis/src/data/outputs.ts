import { type BigIntStats, statSync } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { mapConcurrently } from '../base/concurrency.ts';
import { allErrors, UserError } from '../base/errors.ts';
import { isFolder, isThere } from '../base/files.ts';
import { listDicom } from '../formats/scan-files.ts';
import { voxelFilesOf } from '../formats/voxel-files.ts';
import type { DataSet } from './dataset.ts';

/** The folders of a data set in which whatever is added counts as a scan or a label map. */
const SCAN_FOLDERS: readonly string[] = ['imagesTr', 'labelsTr'];

/**
 * Results do not go among scans or label maps, where they would be taken for some: neither into `folders` or what lies in these, nor into
 * the folders of any data set's training cases. Folders are compared as they are on the disk, whatever links and other names lead there.
 * @throws UserError where `output`, a file or folder that need not be there, would
 */
export async function requireOutside(output: string, folders: readonly string[], option = '--out'): Promise<void> {
  const around = await foldersAround(output);
  const scans = await Promise.all(folders.map(identityOf));
  for (const folder of around) {
    const at = scans.indexOf(await identityOf(folder));
    const isDataSets =
      SCAN_FOLDERS.includes(basename(folder)) && (await isThere(join(dirname(folder), 'dataset.json')));
    if (at < 0 && !isDataSets) continue;
    throw new UserError(
      `${output} would lie among the scans or label maps of ${folders[at] ?? folder}: give another folder with ${option}.`,
    );
  }
}

/** @throws UserError where an output is the data set, or lies among its scans or label maps */
export async function requireApart(
  output: string,
  { folder, cases }: Pick<DataSet, 'folder' | 'cases'>,
): Promise<void> {
  await requireNone(output, [folder]);
  const files = cases.flatMap(({ images, label }) => [...images, label]);
  // Results may lie beside the scans of a list that are beside dataset.json, but nowhere in a folder that is looked through for scans.
  const isListed = await isThere(join(folder, 'dataset.json'));
  const folders = [...new Set(files.map((file) => resolve(dirname(file))))];
  await requireOutside(
    output,
    folders.filter((one) => !(isListed && one === resolve(folder))),
  );
}

/** @throws UserError where `output` is one of these files or folders, by whatever name */
export async function requireNone(output: string, inputs: readonly string[], option = '--out'): Promise<void> {
  const identity = await identityOf(output);
  if (identity === undefined) return;
  const identities = await mapConcurrently(inputs, identityOf);
  const input = inputs[identities.indexOf(identity)];
  if (input === undefined) return;
  const is = input === output ? 'is an input' : `is the same as ${input}, an input`;
  throw new UserError(`${output} ${is}, which the results would replace: give another place with ${option}.`);
}

/** How files that are there may be replaced. */
export interface Replacing {
  /** Whether a file is an earlier result of the same work, which nobody has changed since. */
  readonly isOwn: (file: string) => Promise<boolean>;
  /** Whether other files may be replaced as well. Inputs never are. */
  readonly overwrite: boolean;
  readonly inputs: readonly string[];
  /** The option that says where results go. */
  readonly option?: string;
}

/**
 * Results replace nothing but earlier results.
 * @throws UserError that names every file that is there and is something else
 */
export async function requireReplaceable(files: readonly string[], replacing: Replacing): Promise<void> {
  const { isOwn, overwrite, inputs, option = '--out' } = replacing;
  let found: Promise<readonly string[]> | undefined;
  const parts = (): Promise<readonly string[]> => {
    found ??= mapConcurrently(inputs, partsOf).then((all) => all.flat());
    return found;
  };
  const problems = await mapConcurrently(files, async (file) => {
    const entry = await lstat(file).catch(() => undefined);
    if (entry === undefined) return [];
    await requireNone(file, await parts(), option);
    const target = entry.isSymbolicLink() ? statSync(file, { throwIfNoEntry: false }) : entry;
    if (target?.isDirectory()) return [`${file}: this is a folder. Give the path of a file.`];
    if (target && !target.isFile()) return [`${file}: this is a pipe or a device. Give the path of a file.`];
    if (overwrite || (await isOwn(file))) return [];
    const what = 'a file of this name is there, which was not made by this command or was changed since';
    return [`${file}: ${what}. Move it away, give another place with ${option}, or replace it with --overwrite.`];
  });
  if (problems.flat().length > 0) throw allErrors(problems.flat());
}

/** A file with those that its header names, or the slices of a series. */
async function partsOf(input: string): Promise<readonly string[]> {
  const slices = (await isFolder(input)) ? await listDicom(input) : await voxelFilesOf(input).catch(() => []);
  return [input, ...slices];
}

/** What is the same for all names of a file or folder: links lead to it, and a file may have several names. */
async function identityOf(path: string): Promise<string | undefined> {
  const found: BigIntStats | undefined = await stat(path, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}

/** The folders that a path leads through, itself and the innermost first, as far as they are there; links are followed. */
export async function foldersAround(path: string): Promise<readonly string[]> {
  let there = resolve(path);
  while (!(await isThere(there)) && dirname(there) !== there) there = dirname(there);
  const found = [await realpath(there)];
  for (let last = found[0]; dirname(last) !== last; last = dirname(last)) found.push(dirname(last));
  return found;
}
