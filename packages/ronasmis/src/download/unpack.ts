import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { ReadEntry, Unpack } from 'tar';
import { reasonOf, UserError } from '../base/errors.ts';

/** Types of entries, in the library's words, of files and folders. */
const harmlessTypes: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory', 'GNUDumpDir']);

/**
 * Unpacks a tar archive into an empty folder, whole or not at all: where it fails or is aborted, the folder is left empty.
 * @throws UserError where the archive is damaged, where it has paths that lead out of the folder or anything but files and folders,
 *   where it holds more than its own size, as one that is compressed may, and where a file cannot be written
 */
export async function unpack(archive: string, folder: string, signal?: AbortSignal): Promise<void> {
  if ((await readdir(folder)).length > 0) throw new Error(`${folder} is not empty.`);
  try {
    await unpackInto(folder, archive, signal);
  } catch (error) {
    const names = await readdir(folder);
    await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
    throw error;
  }
}

async function unpackInto(folder: string, archive: string, signal: AbortSignal | undefined): Promise<void> {
  const stop = new AbortController();
  const fail = (reason: string): void =>
    stop.abort(new UserError(`${archive}: it can't be unpacked (${reason}). Fix that, or remove the file.`));
  const refuse = (what: string): void =>
    stop.abort(new UserError(`${archive}: it holds ${what}, so it is not unpacked. Get the archive from elsewhere.`));
  const { size } = await stat(archive);
  let unpackedBytes = 0;
  const check = (entry: ReadEntry): void => {
    unpackedBytes += entry.size;
    if (isAbsolute(entry.path) || entry.path.split('/').includes('..')) refuse(`the path ${entry.path}`);
    if (!harmlessTypes.has(entry.type)) refuse(`something that is no file or folder (${entry.path}, a ${entry.type})`);
    if (unpackedBytes > size) fail(`${entry.path} ends behind its end: it is cut short, or compressed`);
  };

  const unpacker = new Unpack({
    cwd: folder,
    preserveOwner: false,
    filter: (_, entry) => {
      if (entry instanceof ReadEntry) check(entry);
      return !stop.signal.aborted;
    },
    onwarn: (_, message) => fail(reasonOf(message)),
  });
  // Entries of types that the library does not know are not put to the filter.
  unpacker.on('ignoredEntry', check);
  unpacker.on('error', (error) => fail(reasonOf(error).replace(/^TAR_[A-Z_]+: /, '')));
  const closed = new Promise<void>((done) => {
    unpacker.once('close', done).once('abort', () => done());
  });
  try {
    const stopped = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
    for await (const chunk of createReadStream(archive, { highWaterMark: 2 ** 20, signal: stopped }))
      if (!unpacker.write(chunk)) await once(unpacker, 'drain', { signal: stopped });
  } catch (error) {
    // Of two that end it, the first counts: ending it early is a fault of the archive, too.
    if (!stop.signal.aborted) throw error;
  } finally {
    // Until it has closed it still writes.
    unpacker.end();
    await closed;
  }
  stop.signal.throwIfAborted();
}
