import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { link, lstat, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { codeOf, reasonOf, UserError } from '../base/errors.ts';
import { fixable } from '../base/files.ts';

/** The file that says which process works in a folder. */
export const lockName = '.lock';

/** So often a lock is found that is gone at the next look, before the folder is given up: that is so by chance alone. */
const MOST_TRIES = 100;

/** A process, as no other one is on any machine. */
const holderSchema = z.object({
  host: z.string(),
  /** Of the machine's start, and of the container: numbers of processes mean something within both only; empty where the system tells neither. */
  boot: z.string(),
  namespace: z.string(),
  pid: z.int(),
  /** When it was started, in the system's own terms: numbers are used again. */
  started: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

/**
 * Keeps other processes from working in a folder until what this returns is called. What a process that has ended has left is taken over.
 * @throws UserError where another process works there, or may do so on another machine, and where something else has the lock's name
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  return lock(folder, join(folder, lockName), await describeUs());
}

/**
 * Whether a process works in a folder, as far as this machine can tell: one on another machine is taken to do so.
 * @throws UserError where something else has the lock's name
 */
export async function isAtWork(folder: string): Promise<boolean> {
  const file = join(folder, lockName);
  const text = await readLock(file);
  // A power cut may have left it empty.
  return text !== undefined && text !== '' && mayRun(holderOf(file, text), await describeUs());
}

/** Whether a file of a locked folder is its lock, or one that is made on the way to it. */
export const isLock = (name: string): boolean => name === lockName || name.startsWith(`${lockName}-`);

async function lock(folder: string, file: string, us: Holder): Promise<() => Promise<void>> {
  const own = `${file}-${randomBytes(4).toString('hex')}`;
  const taken = async () => (await fixable(file, () => linkNew(own, file))) || takeOver(folder, own, file, us);
  try {
    await fixable(file, () => writeFile(own, JSON.stringify(us), { flag: 'wx' }));
    for (let tries = 0; !(await taken()); tries++) {
      if (tries === MOST_TRIES) throw inTheWay(file, 'it cannot be replaced');
    }
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(file, { force: true });
}

/** Gives a file a second name, at once and whole; false where there is a file of that name. */
async function linkNew(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // Some file systems know no second names.
    const text = await readFile(own, 'utf8');
    return writeFile(file, text, { flag: 'wx' }).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      },
    );
  }
}

/**
 * Puts our lock in the place of one whose process has ended; false where there is none any more. Others may find the same at once: one at a time
 * looks again and replaces it, under a lock of its own, and the name is never free meanwhile.
 * @throws UserError where the process has not ended, or that can't be known, and where another one is taking it over
 */
async function takeOver(folder: string, own: string, file: string, us: Holder): Promise<boolean> {
  if (!(await isStale(folder, file, us))) return false;
  const release = await lock(folder, `${file}-takeover`, us);
  try {
    if (!(await isStale(folder, file, us))) return false;
    await rename(own, file).catch((error: unknown) => {
      throw inTheWay(file, `it is left over, and cannot be removed (${reasonOf(error)})`);
    });
    return true;
  } finally {
    await release();
  }
}

/** Whether a lock is there whose process has ended. @throws UserError where that has not, or it can't be known */
async function isStale(folder: string, file: string, us: Holder): Promise<boolean> {
  const text = await readLock(file);
  if (text === undefined) return false;
  // A power cut may have left it empty.
  if (text === '') return true;
  const holder = holderOf(file, text);
  if (!(await mayRun(holder, us))) return true;
  const where = holder.host === us.host ? '' : ` on ${holder.host}`;
  const fix = isKnown(holder, us) ? 'Wait for it' : `Wait for it; if it has ended, remove ${basename(file)} there`;
  throw new UserError(
    `${folder}: another process works there (process ${holder.pid}${where}). ${fix}, or give another folder.`,
  );
}

/** What a lock holds; undefined where there is none any more. @throws UserError for what is no file, or cannot be read */
async function readLock(file: string): Promise<string | undefined> {
  try {
    const found = await lstat(file);
    // A pipe would be waited for, and what a link leads to is not ours.
    if (!found.isFile())
      throw inTheWay(file, `it is ${found.isDirectory() ? 'a folder' : 'a link, a pipe or a device'}`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (codeOf(error) === 'ENOENT') return undefined;
    throw inTheWay(file, `it cannot be read (${reasonOf(error)})`);
  }
}

/** @throws UserError for a file of another kind, which is left as it is */
function holderOf(file: string, text: string): Holder {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    throw inTheWay(file, 'it holds something else');
  }
}

const inTheWay = (file: string, what: string): UserError =>
  new UserError(
    `${file}: a file of this name keeps other processes out of a folder while one works there, but ${what}. Move it away if no other process works there, or give another folder.`,
  );

/** Whether the numbers of its processes are those of ours. */
const isKnown = (holder: Holder, us: Holder): boolean =>
  holder.boot === us.boot && holder.namespace === us.namespace && (us.boot !== '' || holder.host === us.host);

async function mayRun(holder: Holder, us: Holder): Promise<boolean> {
  if (isKnown(holder, us)) return (await startOf(holder.pid)) === holder.started;
  // The machine was started again since.
  return !(holder.host === us.host && holder.boot !== us.boot);
}

async function describeUs(): Promise<Holder> {
  const read = (work: Promise<string>): Promise<string> =>
    work.then(
      (text) => text.trim(),
      () => '',
    );
  return {
    host: hostname(),
    boot: await read(readFile('/proc/sys/kernel/random/boot_id', 'utf8')),
    namespace: await read(readlink('/proc/self/ns/pid')),
    pid: process.pid,
    started: (await startOf(process.pid)) ?? '',
  };
}

/** When a process was started; undefined where there is none, or one that has ended and was not yet taken note of. */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    const listed = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => undefined);
    return listed?.stdout.trim();
  }
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // Behind the name, which may hold anything: the state is the first field, the start the 20th.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}
