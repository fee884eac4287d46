import { open, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { isFolder, mendable } from './files.ts';

/** What the files of a scan are, by the endings of their names. */
const FORMATS = [
  { ending: '.nii.gz', format: 'nifti' },
  { ending: '.nii', format: 'nifti' },
  { ending: '.nrrd', format: 'nrrd' },
  { ending: '.nhdr', format: 'nrrd' },
  { ending: '.mha', format: 'meta_image' },
  { ending: '.mhd', format: 'meta_image' },
] as const;

/** The formats of scans that lie in one file, or in a header and the file of voxels that it names. */
export type FileFormat = (typeof FORMATS)[number]['format'];

/** The endings of the files that are read as scans; a DICOM series is a folder. */
export const SCAN_ENDINGS: readonly string[] = FORMATS.map(({ ending }) => ending);

const entryOf = (path: string) => FORMATS.find(({ ending }) => path.endsWith(ending));

/** The format of a file by its name; undefined for other names. */
export const formatByName = (path: string): FileFormat | undefined => entryOf(path)?.format;

/** The name of a scan without folder and ending. */
export function caseName(path: string): string {
  const name = basename(resolve(path));
  return name.slice(0, name.length - (entryOf(name)?.ending.length ?? 0));
}

/** Scans by the name of their case. @throws UserError where two have one name, as `a.nii` and `a.nii.gz` do */
export function byCaseName(paths: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const path of paths) {
    const other = found.get(caseName(path));
    if (other !== undefined) throw new UserError(`${path}: ${basename(other)} has the same name. Keep one of the two.`);
    found.set(caseName(path), path);
  }
  return found;
}

/** The scans of a folder: files by their endings, and folders of DICOM; hidden ones (`._*` of macOS) are none. @throws UserError where the folder is not there or can't be read. */
export async function listScans(folder: string): Promise<string[]> {
  if (!(await isFolder(folder))) throw new UserError(`${folder}: there is no such folder. Give one that holds scans.`);
  const names = await mendable(folder, () => readdir(folder));
  const paths = names
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => join(folder, name));
  const areScans = await Promise.all(paths.map(async (path) => entryOf(path) !== undefined || isDicomSeries(path)));
  return paths.filter((_, i) => areScans[i]);
}

/** Whether a path is a folder that directly holds DICOM files. */
export async function isDicomSeries(folder: string): Promise<boolean> {
  for (const file of await listDicom(folder)) if (await isDicomFile(file)) return true;
  return false;
}

/** The files of a folder that may be DICOM, which has no fixed ending: neither hidden nor of another format; none where it is no folder. */
export async function listDicom(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => !name.startsWith('.') && entryOf(name) === undefined)
    .sort()
    .map((name) => join(folder, name));
}

/** Where a DICOM file says that it is one, in bytes. */
const DICOM_MARK_AT = 128;

/** Whether a file begins as DICOM files do (part 10 of the standard); false where it cannot be read. */
export async function isDicomFile(file: string): Promise<boolean> {
  // A pipe would be waited for.
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  const handle = isFile ? await open(file).catch(() => undefined) : undefined;
  if (handle === undefined) return false;
  try {
    const mark = await handle.read(Buffer.alloc(4), 0, 4, DICOM_MARK_AT);
    return mark.buffer.toString('latin1') === 'DICM';
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}
