import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { fixable, isThere, makeFolder } from '../base/files.ts';
import { fetchFile } from './fetch-file.ts';
import { decathlonAddress, decathlonTasks } from './tasks.ts';
import { unpack } from './unpack.ts';

/** How far a download is. While it is unpacked nobody knows how far that is. */
export interface DownloadProgress {
  readonly phase: 'fetch' | 'check' | 'unpack';
  readonly doneBytes: number;
  /** Of the archive. */
  readonly totalBytes: number;
  /** At the speed of this run so far. */
  readonly secondsLeft?: number;
}

/** What follows a download. */
export interface DownloadHooks {
  /** Aborting it stops cleanly: the promise rejects with an AbortError, and the next download goes on from there. */
  readonly signal?: AbortSignal;
  /** Told after each piece that has come or was checked. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/**
 * Downloads a task of the Medical Segmentation Decathlon, checks it by its MD5 and unpacks it into `FOLDER/TASK`, ready to be searched on. A download
 * that was stopped or cut goes on where it was, and one that is there is left as it is.
 * @param task such as `Task05_Prostate`
 * @returns the data set's folder
 * @throws UserError for another task, and where it can't be fetched, is not what it should be, or does not fit on the disk
 */
export async function download(task: string, folder: string, hooks: DownloadHooks = {}): Promise<string> {
  const known = decathlonTasks.find(({ name }) => name === task);
  if (known === undefined) {
    const names = decathlonTasks.map(({ name }) => name).join(', ');
    throw new UserError(`${task} is no task of the Medical Segmentation Decathlon. Give one of ${names}.`);
  }
  return downloadArchive({ ...known, url: `${decathlonAddress}/${known.name}.tar` }, folder, hooks);
}

/** A tar archive of one folder, which is called `name` and holds `dataset.json`. */
export interface Archive {
  readonly name: string;
  readonly url: string;
  readonly md5: string;
}

/** As `download`. How far an earlier one came is told by names: `NAME.tar.part` is being fetched, `.NAME.tar` is checked, `NAME` is whole. */
export async function downloadArchive(archive: Archive, out: string, hooks: DownloadHooks): Promise<string> {
  const folder = join(out, archive.name);
  // Removed once it is unpacked: one of the plain name may be somebody's own.
  const file = join(out, `.${archive.name}.tar`);
  if (await isThere(join(folder, 'dataset.json'))) return folder;
  if (await isThere(folder)) {
    throw new UserError(`${folder}: it is there, but it holds no dataset.json. Move it away or choose another folder.`);
  }
  await makeFolder(out);
  if (!(await isThere(file))) {
    const part = `${folder}.tar.part`;
    await fetchFile(archive.url, part, {
      signal: hooks.signal,
      onSize: (total, done) => requireSpace(out, 2 * total - done),
      onBytes: withTimeLeft(hooks),
    });
    if ((await md5Of(part, hooks)) !== archive.md5) {
      await rm(part);
      throw new UserError(
        `${archive.url}: what came is damaged, for its MD5 is not ${archive.md5}. Download it again.`,
      );
    }
    await rename(part, file);
  }
  await unpackFolder(archive.name, file, out, hooks);
  return folder;
}

/** Unpacked under another name first, so that a folder of the data set's name is whole. */
async function unpackFolder(name: string, file: string, out: string, { signal, onProgress }: DownloadHooks) {
  const { size } = await stat(file);
  onProgress?.({ phase: 'unpack', doneBytes: 0, totalBytes: size });
  const unpacking = join(out, `.${name}.unpacking`);
  await rm(unpacking, { recursive: true, force: true });
  await makeFolder(unpacking);
  try {
    await unpack(file, unpacking, signal);
    if (!(await isThere(join(unpacking, name, 'dataset.json')))) {
      throw new UserError(`${file}: it holds no ${name}/dataset.json, so it is no such data set. Remove the file.`);
    }
    await fixable(out, () => rename(join(unpacking, name), join(out, name)));
  } finally {
    await rm(unpacking, { recursive: true, force: true });
  }
  await rm(file);
}

async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const gigabytes = (count: number): string => `${(count / 1e9).toFixed(1)} GB`;
  if (free >= bytes) return;
  throw new UserError(
    `${folder}: ${gigabytes(bytes)} are needed, for the archive and what is unpacked, but ${gigabytes(free)} are free. Free some, or choose a folder on another disk.`,
  );
}

function withTimeLeft({ onProgress }: DownloadHooks): (total: number, done: number) => void {
  let first: { readonly at: number; readonly done: number } | undefined;
  return (total, done) => {
    first ??= { at: performance.now(), done };
    const perSecond = (done - first.done) / ((performance.now() - first.at) / 1000);
    const left = perSecond > 0 ? { secondsLeft: (total - done) / perSecond } : {};
    onProgress?.({ phase: 'fetch', doneBytes: done, totalBytes: total, ...left });
  };
}

async function md5Of(file: string, { signal, onProgress }: DownloadHooks): Promise<string> {
  const { size } = await stat(file);
  const hash = createHash('md5');
  let done = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20, ...(signal && { signal }) })) {
    hash.update(chunk);
    done += chunk.length;
    onProgress?.({ phase: 'check', doneBytes: done, totalBytes: size });
  }
  return hash.digest('hex');
}
