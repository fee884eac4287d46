import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { mapConcurrently } from '../base/concurrency.ts';
import { allErrors, outcomeOf, some, sortOutcomes, UserError } from '../base/errors.ts';
import { fixable, isFolder, isUnreadableName, passOn } from '../base/files.ts';
import { DICOM_PEEK_BYTES, elementsAt } from './dicom-elements.ts';
import { endingOf } from './endings.ts';

/** What a folder of scans holds. */
interface ScanFolder {
  /** The paths of files with the ending of a scan, and of folders that hold DICOM. */
  readonly scans: readonly string[];
  /** The names of what is none of these, but called like a scan of another format, or one that is not whole. */
  readonly overlooked: readonly string[];
  /** The paths of scans and folders that lie among the slices of a DICOM series. */
  readonly amongSlices: readonly string[];
  /** The paths of links to folders that are looked into by another way. */
  readonly repeated: readonly string[];
  /** A sentence for each folder that can't be looked into. */
  readonly problems: readonly string[];
}

/** What names of scans look like: another format, one that was packed otherwise, or a download that was cut. */
const LIKE_A_SCAN = /\.(nii|nrrd|nhdr|mha|mhd|hdr|img|nia|mgz|mgh|mnc|gipl|dcm|dicom|ima|par|rec|tiff?)(\b|_)/i;
const NOT_LIKE_A_SCAN = /\.(json|txt|csv|tsv|md5|sha\d*|raw|png)$/i;

/**
 * The scans of a folder and of the folders in it, however deep; hidden ones (`._*` of macOS) are none.
 * @throws UserError where the folder is not there, or it or one in it can't be read
 */
export async function listScans(folder: string): Promise<readonly string[]> {
  const { scans, problems } = await readScanFolder(folder);
  if (problems.length > 0) throw allErrors(problems);
  return scans;
}

/**
 * As {@link listScans}, with what is passed over, and without an error for folders in it. Links are followed last and once, as they may lead
 * back.
 * @throws UserError where the folder is not there or can't be read
 */
export async function readScanFolder(folder: string): Promise<ScanFolder> {
  const found: FolderEntries[] = [await scansIn(folder)];
  const seen = new Set([await realpath(folder)]);
  const repeated: string[] = [];
  const problems: string[] = [];
  let [{ folders, links }]: readonly FolderEntries[] = found;
  while (folders.length + links.length > 0) {
    const fresh: string[] = [];
    for (const path of folders.length > 0 ? folders : links) {
      const real = await realpath(path).catch(() => path);
      (seen.has(real) ? repeated : fresh).push(path);
      seen.add(real);
    }
    const entered = sortOutcomes(await mapConcurrently(fresh, (path) => outcomeOf(() => scansIn(path))));
    found.push(...entered.results);
    problems.push(...entered.problems);
    const newLinks = entered.results.flatMap((one) => one.links);
    links = folders.length > 0 ? [...links, ...newLinks] : newLinks;
    folders = entered.results.flatMap((one) => one.folders);
  }
  return {
    scans: found.flatMap(({ scans }) => scans),
    overlooked: found.flatMap(({ overlooked }) => overlooked),
    amongSlices: found.flatMap(({ amongSlices }) => amongSlices),
    repeated,
    problems,
  };
}

/** What is said of what looks like a scan, or may hold some, and is not read; nothing of none. */
export function remarksOn({ overlooked, amongSlices, repeated }: Omit<ScanFolder, 'scans' | 'problems'>): string[] {
  const remark = (names: readonly string[], what: string, fix: string): readonly string[] =>
    names.length === 0 ? [] : [`${what}: ${some(names)}. They are passed over; ${fix}.`];
  const likeScans = 'files that look like scans, but are none by the endings of their names';
  return [
    ...remark(overlooked, likeScans, 'convert them to .nii.gz, or remove them'),
    ...remark(amongSlices, 'scans and folders among the slices of a DICOM series', 'move them out of its folder'),
    ...remark(repeated, 'links to folders whose scans are read already', 'remove them'),
  ];
}

/** What one folder holds. */
interface FolderEntries extends Omit<ScanFolder, 'repeated' | 'problems'> {
  /** To look into: folders, and links to some. */
  readonly folders: readonly string[];
  readonly links: readonly string[];
}

async function scansIn(folder: string): Promise<FolderEntries> {
  if (!(await isFolder(folder))) throw new UserError(`${folder}: there is no such folder. Give one that holds scans.`);
  const entries = await entriesIn(folder);
  const kinds = await mapConcurrently(entries, async ({ entry, name, path }) => {
    // A folder whose name can't be written as text can't be looked into: it is named when it is read.
    if (endingOf(name) !== undefined || (entry.isDirectory() && isUnreadableName(name))) return 'scan';
    if (await isDicomSeries(path)) return 'series';
    if (!(await isFolder(path))) return LIKE_A_SCAN.test(name) && !NOT_LIKE_A_SCAN.test(name) ? 'overlooked' : 'other';
    return entry.isSymbolicLink() ? 'link' : 'folder';
  });
  const pathsOf = (...wanted: readonly string[]) =>
    entries.filter((_, i) => wanted.includes(kinds[i])).map(({ path }) => path);
  return {
    scans: pathsOf('scan', 'series'),
    folders: pathsOf('folder'),
    links: pathsOf('link'),
    overlooked: pathsOf('overlooked').map((path) => basename(path)),
    amongSlices: (await mapConcurrently(pathsOf('series'), listAmongSlices)).flat(),
  };
}

/** What is there of a folder, sorted; hidden files and folders are not. */
async function entriesIn(folder: string) {
  return (await fixable(folder, () => readdir(folder, { withFileTypes: true })))
    .filter(({ name }) => !name.startsWith('.'))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((entry) => ({ entry, name: entry.name, path: join(folder, entry.name) }));
}

/** The paths of scans of other formats, and of folders, that lie in the folder of a DICOM series. */
export async function listAmongSlices(series: string): Promise<readonly string[]> {
  const entries = await entriesIn(series);
  const areAmong = await mapConcurrently(
    entries,
    async ({ name, path }) => endingOf(name) !== undefined || (await isFolder(path)),
  );
  return entries.filter((_, i) => areAmong[i]).map(({ path }) => path);
}

/** Whether a path is a folder that directly holds DICOM files. */
export async function isDicomSeries(folder: string): Promise<boolean> {
  for (const file of await listDicom(folder)) if (await isDicomFile(file)) return true;
  return false;
}

/** The files of a folder that may be DICOM, which has no fixed ending: neither hidden nor of another format; none where it is no folder. */
export async function listDicom(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    passOn(folder, error);
    return [];
  });
  return names
    .filter((name) => !name.startsWith('.') && endingOf(name) === undefined)
    .sort()
    .map((name) => join(folder, name));
}

/** Whether a file begins as DICOM files do (part 10 of the standard), or with the elements alone, as old ones do; false where it cannot be read. */
export async function isDicomFile(file: string): Promise<boolean> {
  // A pipe would be waited for.
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  const handle = isFile ? await open(file).catch((error: unknown) => passOn(file, error)) : undefined;
  if (!handle) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(DICOM_PEEK_BYTES), 0, DICOM_PEEK_BYTES, 0);
    return elementsAt(buffer.subarray(0, bytesRead)) !== undefined;
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}
