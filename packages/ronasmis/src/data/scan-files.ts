import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { some, UserError } from '../errors.ts';
import { mapConcurrently } from './concurrently.ts';
import { DICOM_PEEK_BYTES, elementsAt } from './dicom-elements.ts';
import { isFolder, isUnreadableName, mendable, passOn } from './files.ts';

/** What the files of a scan are, by the endings of their names, in letters of any case; of two that fit, the longer is first. */
const FORMATS = [
  { ending: '.nii.gz', format: 'nifti' },
  { ending: '.nii', format: 'nifti' },
  { ending: '.seg.nrrd', format: 'nrrd' },
  { ending: '.nrrd', format: 'nrrd' },
  { ending: '.nhdr', format: 'nrrd' },
  { ending: '.mha', format: 'meta_image' },
  { ending: '.mhd', format: 'meta_image' },
] as const;

/** The formats of scans that lie in one file, or in a header and the file of voxels that it names. */
export type FileFormat = (typeof FORMATS)[number]['format'];

/** The endings of the files that are read as scans; a DICOM series is a folder. */
export const SCAN_ENDINGS: readonly string[] = FORMATS.map(({ ending }) => ending);

/** The entry of a file's format; undefined for names with another ending. */
function entryOf(path: string) {
  const lower = path.toLowerCase();
  return FORMATS.find(({ ending }) => lower.endsWith(ending));
}

/** The format of a file by its name; undefined for other names. */
export const formatByName = (path: string): FileFormat | undefined => entryOf(path)?.format;

/** The name of a scan without folder and ending; letters with accents are composed (NFC), as some systems store them apart. */
export function caseName(path: string): string {
  const name = basename(resolve(path)).normalize();
  return name.slice(0, name.length - (entryOf(name)?.ending.length ?? 0));
}

/**
 * The names of several scans: those of their files, or, where two of these are the same, what differs in their paths. So `P1/imaging.nii.gz`
 * and `P2/imaging.nii.gz` are P1 and P2, and with `P2/later.nii.gz` beside them P1_imaging, P2_imaging and P2_later.
 */
export function caseNames(paths: readonly string[]): readonly string[] {
  const names = paths.map(caseName);
  if (new Set(names).size === names.length) return names;
  const folders = paths.map((path) => dirname(resolve(path)).normalize().split(sep));
  const shared = folders[0].findIndex((part, depth) => folders.some((one) => one[depth] !== part));
  // From the file on upwards, so that each folder stands beside those of the same depth below it.
  const parts = folders.map((one, i) => [names[i], ...one.slice(shared < 0 ? folders[0].length : shared).reverse()]);
  const depths = [...Array(Math.max(...parts.map(({ length }) => length))).keys()];
  const differing = depths.filter((depth) => new Set(parts.map((one) => one[depth])).size > 1).reverse();
  return parts.map((one, i) => differing.flatMap((depth) => one[depth] ?? []).join('_') || names[i]);
}

/** Scans by the name of their case. @throws UserError where two have one name, as `a.nii` and `a.nii.gz` do */
export function byCaseName(paths: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const names = caseNames(paths);
  paths.forEach((path, i) => {
    const other = found.get(names[i]);
    if (other !== undefined) throw new UserError(`${path}: ${basename(other)} has the same name. Keep one of the two.`);
    found.set(names[i], path);
  });
  return found;
}

/** What a folder of scans holds. */
interface ScanFolder {
  /** The paths of files with the ending of a scan, and of folders that hold DICOM. */
  readonly scans: readonly string[];
  /** The names of what is none of these, but called like a scan of another format, or one that is not whole. */
  readonly overlooked: readonly string[];
}

/** What names of scans look like: another format, one that was packed otherwise, or a download that was cut. */
const LIKE_A_SCAN = /\.(nii|nrrd|nhdr|mha|mhd|hdr|img|nia|mgz|mgh|mnc|gipl|dcm|dicom|ima|par|rec|tiff?)(\b|_)/i;
const NOT_LIKE_A_SCAN = /\.(json|txt|csv|tsv|md5|sha\d*|raw|png)$/i;

/**
 * The scans of a folder; hidden files (`._*` of macOS) are none. A folder of nothing but folders, one for each patient, is one of the scans in these.
 * @throws UserError where the folder is not there or can't be read
 */
export async function listScans(folder: string): Promise<string[]> {
  const { scans } = await readScanFolder(folder);
  return [...scans];
}

/** As {@link listScans}, with what looks like a scan and is not read. */
export async function readScanFolder(folder: string): Promise<ScanFolder> {
  const here = await scansIn(folder);
  if (here.scans.length > 0) return here;
  const patients = await mapConcurrently(here.folders, scansIn);
  return {
    scans: patients.flatMap(({ scans }) => scans),
    overlooked: [here, ...patients].flatMap(({ overlooked }) => overlooked),
  };
}

/** What is said of files that look like scans, and are not read; nothing of none. */
export function overlookedSentences(overlooked: readonly string[]): readonly string[] {
  if (overlooked.length === 0) return [];
  const what = `files that look like scans, but are none by the endings of their names: ${some(overlooked)}`;
  return [`${what}. They are passed over; convert them to .nii.gz, or remove them.`];
}

async function scansIn(folder: string): Promise<ScanFolder & { readonly folders: readonly string[] }> {
  if (!(await isFolder(folder))) throw new UserError(`${folder}: there is no such folder. Give one that holds scans.`);
  const entries = (await mendable(folder, () => readdir(folder, { withFileTypes: true })))
    .filter(({ name }) => !name.startsWith('.'))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((entry) => ({ entry, name: entry.name, path: join(folder, entry.name) }));
  const areScans = await mapConcurrently(entries, async ({ entry, name, path }) => {
    // A folder whose name can't be written as text can't be looked into: it is named when it is read.
    if (entry.isDirectory() && isUnreadableName(name)) return true;
    return entryOf(name) !== undefined || isDicomSeries(path);
  });
  const others = entries.filter((_, i) => !areScans[i]);
  const areFolders = await mapConcurrently(others, ({ path }) => isFolder(path));
  return {
    scans: entries.filter((_, i) => areScans[i]).map(({ path }) => path),
    folders: others.filter((_, i) => areFolders[i]).map(({ path }) => path),
    overlooked: others
      .filter(({ name }, i) => !areFolders[i] && LIKE_A_SCAN.test(name) && !NOT_LIKE_A_SCAN.test(name))
      .map(({ name }) => name),
  };
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
    .filter((name) => !name.startsWith('.') && entryOf(name) === undefined)
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
