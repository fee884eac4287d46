import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import {
  access,
  copyFile,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { codeOf, reasonOf, UserError } from './errors.ts';

/** So much is read sooner than another thread is woken up to do it. */
const SMALL_BYTES = 2 ** 20;

/** All bytes of a file. @throws UserError where it cannot be read. */
export function readBytes(file: string): Promise<Uint8Array> {
  return fixable(file, async () => (sizeOf(file) < SMALL_BYTES ? readFileSync(file) : readFile(file)));
}

/** Bytes of a file. @throws UserError for what is none: a pipe would be waited for, a device may never end */
export function sizeOf(file: string): number {
  const found = statSync(file);
  if (!found.isFile() && !found.isDirectory())
    throw new UserError(`${file}: this is a pipe or a device. Give the path of a file.`);
  return found.size;
}

/**
 * Makes a folder, with those above it; one that is there is left as it is.
 * @returns the folders that were made, the outermost first
 * @throws UserError where it cannot be made
 */
export function makeFolder(folder: string): Promise<readonly string[]> {
  return fixable(folder, () => mkdirWithParents(folder));
}

/**
 * As `mkdir` with `recursive`, which never returns where a file system takes no folders and says ENOENT (/proc, Node 20). What another
 * call makes meanwhile is taken as it is.
 * @returns the folders that were made, the outermost first
 */
export async function mkdirWithParents(folder: string): Promise<readonly string[]> {
  const atOnce = await makeHere(folder);
  if (atOnce) return atOnce;
  const above = await mkdirWithParents(dirname(resolve(folder)));
  const last = await makeHere(folder);
  if (last) return [...above, ...last];
  await mkdir(folder);
  return [...above, folder];
}

/** The folder, where it was made, none where it is there; undefined where one above it may be missing. */
async function makeHere(folder: string): Promise<readonly string[] | undefined> {
  try {
    await mkdir(folder);
    return [folder];
  } catch (error) {
    if (await isFolder(folder)) return [];
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes what {@link makeFolder} made, as far as it is still empty; where the system refuses it, it stays. */
export async function removeWhereEmpty(made: readonly string[]): Promise<void> {
  for (const folder of made.toReversed()) await rmdir(folder).catch(() => {});
}

/** Whether there is a folder of this path. */
export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Whether there is a file or folder of this path. */
export const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Writes a file under a temporary name in its folder and renames it once the bytes are on the disk: a reader sees the old
 * file or the whole new one.
 * @throws UserError where the folder cannot be written to.
 */
export async function writeAtomically(file: string, bytes: Uint8Array): Promise<void> {
  // Of its own name, for one that is made longer may be too long.
  const temporary = join(dirname(file), `.ronasmis-${randomBytes(6).toString('hex')}`);
  try {
    const handle = await fixable(file, () => open(temporary, 'w'));
    try {
      await fixable(file, async () => {
        await handle.writeFile(bytes);
        await sync(handle);
      });
    } finally {
      await handle.close();
    }
    await fixable(file, () => rename(temporary, file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Has copies that are needed to read a file, which are removed afterwards.
 * @param called the file that messages name
 * @param fill makes the copies in a folder of their own
 * @throws UserError where there is no place for them
 */
export async function withCopies<Copies, T>(
  called: string,
  fill: (folder: string) => Promise<Copies>,
  use: (copies: Copies) => Promise<T>,
): Promise<T> {
  const refuse = (error: unknown): never => {
    if (isTooMany(error)) throw tooManyFiles(called);
    if (error instanceof UserError || codeOf(error) === '') throw error;
    const what = `copies are needed to read it, and ${tmpdir()} takes none (${reasonOf(error)})`;
    throw new UserError(`${called}: ${what}. Set TMPDIR to a folder with room for them.`);
  };
  const folder = await mkdtemp(join(tmpdir(), 'ronasmis-')).catch(refuse);
  try {
    return await use(await fill(folder).catch(refuse));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Copies a file. @throws UserError where it can't be read, and the system's error where the disk is full */
export function copyInto(file: string, copy: string): Promise<void> {
  return copyFile(file, copy).catch((error: unknown) => {
    if (/^(ENOSPC|EDQUOT|EFBIG)$/.test(codeOf(error))) throw error;
    return fixable(file, () => Promise.reject(error));
  });
}

/** Waits until a file's bytes are on the disk; where its file system knows no such thing, as some network disks, it is taken as it is. */
export async function sync(handle: FileHandle): Promise<void> {
  await handle.sync().catch((error: unknown) => {
    if (!codeOf(error).match(/^(EINVAL|ENOTSUP|EOPNOTSUPP|ENOSYS)$/)) throw error;
  });
}

/** More files are open than the system allows: nothing is known of the file itself then. */
export class TooManyFiles extends UserError {}

const isTooMany = (error: unknown): boolean => /^(EMFILE|ENFILE)$/.test(codeOf(error));

/** For who takes a file that can't be read for none: what says nothing of the file is passed on. @throws TooManyFiles */
export function passOn(file: string, error: unknown): void {
  if (error instanceof TooManyFiles) throw error;
  if (isTooMany(error)) throw tooManyFiles(file);
}

const tooManyFiles = (file: string): TooManyFiles =>
  new TooManyFiles(`${file}: too many files are open at once. Raise the limit that ulimit -n states.`);

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder. Check the path.',
  EEXIST: 'a file of this name is there. Choose another folder.',
  EISDIR: 'this is a folder. Give the path of a file.',
  EPERM: 'permission denied. Give yourself access to it.',
  EACCES: 'permission denied. Give yourself access to it.',
  EROFS: 'the disk is read-only. Choose another folder.',
  ENOSPC: 'the disk is full. Free some space.',
  EDQUOT: 'your share of the disk is used up. Free some space.',
  EFBIG: 'it would be larger than this disk, or the limit that ulimit states, allows. Choose another folder.',
  ELOOP: 'this link leads back to itself. Replace it by the file.',
  ENAMETOOLONG: 'the name is too long. Shorten it.',
  ENOTDIR: 'a part of this path is a file. Check the path.',
  ERR_FS_FILE_TOO_LARGE: 'the file is larger than 2 GiB. Crop or compress the scan.',
};

/** What Node puts in place of bytes that are no UTF-8, so that no file of that name is found. */
const REPLACEMENT = '\uFFFD';

/** Whether a name, as it was read from a folder, is none by which a file can be opened. */
export const isUnreadableName = (path: string): boolean => path.includes(REPLACEMENT);

/** What is wrong with such a name, and the fix. */
export const UNREADABLE_NAME = 'its name is not written in UTF-8, so that it cannot be opened. Rename it.';

/** Runs a file operation; where the system refuses it, for that the user can fix, the error is a UserError that names `file`. */
export async function fixable<T>(file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = codeOf(error);
    if (isTooMany(error)) throw tooManyFiles(file);
    if (code === 'ENOENT' && isUnreadableName(file)) throw new UserError(`${file}: ${UNREADABLE_NAME}`);
    if (code in CAUSES) throw new UserError(`${file}: ${CAUSES[code]}`);
    if (error instanceof Error && 'syscall' in error)
      throw new UserError(`${file}: the system refuses it (${reasonOf(error)}). Check the disk.`);
    throw error;
  }
}
