import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { fromSource } from '../../../../test/from-source.ts';
import { UserError } from '../../src/base/errors.ts';
import { isAtWork, lockFolder, lockName } from '../../src/run/lock.ts';
import { startScript } from '../end-to-end/command.ts';
import { temporaryFolder } from '../formats/scans.ts';

const root = await temporaryFolder();
const newFolder = () => mkdtemp(join(root, 'run-'));
const locker = join(root, 'locker.mjs');
await writeFile(
  locker,
  `const { lockFolder } = await import(${JSON.stringify(new URL('../../src/run/lock.ts', import.meta.url).href)});
await lockFolder(process.argv[2]);
console.log('locked');
setInterval(() => {}, 1000);`,
);

/** A process of its own that has locked a folder. */
async function lockElsewhere(folder: string) {
  const started = startScript(...fromSource, locker, folder);
  await new Promise((resolve) => started.child.stdout.once('data', resolve));
  return started;
}

/** The lock of this process, or of another one after `change`. */
async function lockOf(folder: string, change: object): Promise<void> {
  const release = await lockFolder(folder);
  const own: unknown = JSON.parse(await readFile(join(folder, lockName), 'utf8'));
  await release();
  await writeFile(join(folder, lockName), JSON.stringify(Object.assign({}, own, change)));
}

it('lets one process in, which leaves nothing behind', async () => {
  const folder = await newFolder();
  const release = await lockFolder(folder);
  const second = lockFolder(folder);
  await expect(second).rejects.toBeInstanceOf(UserError);
  await expect(second).rejects.toThrow(
    `${folder}: another process works there (process ${process.pid}). Wait for it, or give another folder.`,
  );
  expect(await readdir(folder)).toEqual([lockName]);
  await release();
  expect(await readdir(folder)).toEqual([]);
  await (await lockFolder(folder))();
});

it.each([
  ['the lock', [lockName]],
  ['the lock, and that of who was taking it over', [lockName, `${lockName}-takeover`]],
])('of many that try at once, one gets in, where a power cut has left %s', async (_, left) => {
  // By chance, a single time may show nothing.
  for (let round = 0; round < 20; round++) {
    const folder = await newFolder();
    for (const name of left) await writeFile(join(folder, name), '');
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = tries.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    expect(refused.filter((reason) => !reason.includes('another process works there'))).toEqual([]);
    expect(await readdir(folder)).toEqual([lockName]);
  }
});

it('is held by a process as long as that lives, and taken over from one that was killed', async () => {
  const folder = await newFolder();
  const { child, ended } = await lockElsewhere(folder);
  await expect(lockFolder(folder)).rejects.toThrow(`(process ${child.pid})`);
  child.kill('SIGKILL');
  await ended;
  await (await lockFolder(folder))();
  expect(await readdir(folder)).toEqual([]);
});

it.each([
  ['a process that has the number of one that ended', { started: '1' }],
  ['a number that no process has', { pid: 2 ** 22 + 1 }],
  ['a machine that was started again', { boot: 'before' }],
])('is taken over: %s', async (_, change) => {
  const folder = await newFolder();
  await lockOf(folder, change);
  await (await lockFolder(folder))();
});

it('is taken over where a power cut has left it empty', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, lockName), '');
  await (await lockFolder(folder))();
});

it.each(['my precious notes', '{"pid": 3', '[]', '\n'])('is left to whoever has written %j', async (text) => {
  const folder = await newFolder();
  const file = join(folder, lockName);
  await writeFile(file, text);
  const tried = lockFolder(folder);
  await expect(tried).rejects.toBeInstanceOf(UserError);
  await expect(tried).rejects.toThrow(`${file}: a file of this name keeps other processes out of a folder`);
  await expect(tried).rejects.toThrow('but it holds something else. Move it away if no other process works there');
  expect(await readFile(file, 'utf8')).toBe(text);
  expect(await readdir(folder)).toEqual([lockName]);
});

it.each<[string, (file: string) => unknown, string]>([
  ['a folder', (file) => mkdir(file), 'it is a folder'],
  ['a link that leads nowhere, as Emacs makes them', (file) => symlink('me@host.1:2', file), 'it is a link'],
  ['a link to a file', (file) => symlink(locker, file), 'it is a link'],
  ['a pipe', (file) => execFileSync('mkfifo', [file]), 'it is a link, a pipe'],
])('gives way to %s', async (_, make, what) => {
  const folder = await newFolder();
  await make(join(folder, lockName));
  const tried = lockFolder(folder);
  await expect(tried).rejects.toBeInstanceOf(UserError);
  await expect(tried).rejects.toThrow(`but ${what}`);
  expect(await readdir(folder)).toEqual([lockName]);
});

/** As `lockFolder`, where the system refuses one operation on the lock of a process that has ended, as it does for root never. */
async function lockRefused(folder: string, operation: 'readFile' | 'rename'): Promise<unknown> {
  await lockOf(folder, { started: '1' });
  vi.resetModules();
  vi.doMock('node:fs/promises', async (importOriginal) => {
    const original = await importOriginal<typeof import('node:fs/promises')>();
    const refused = () => Promise.reject(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }));
    const readFile = (file: string, encoding: 'utf8') =>
      file.endsWith(lockName) ? refused() : original.readFile(file, encoding);
    return { ...original, ...(operation === 'rename' ? { rename: refused } : { readFile }) };
  });
  const { lockFolder: withRefusal } = await import('../../src/run/lock.ts');
  return withRefusal(folder).finally(() => vi.doUnmock('node:fs/promises'));
}

it.each([
  ["another user's file", 'readFile', 'it cannot be read (permission denied)'],
  ['a folder where only owners remove', 'rename', 'it is left over, and cannot be removed (permission denied)'],
] as const)('ends at %s', async (_, operation, what) => {
  const folder = await newFolder();
  await expect(lockRefused(folder, operation)).rejects.toThrow(`but ${what}. Move it away`);
  expect(await readdir(folder)).toEqual([lockName]);
});

it.each([
  ['another machine', { host: 'far', boot: 'other' }, / on far\)\. Wait for it; if it has ended, remove \.lock there/],
  ['another container of this machine', { host: 'box', namespace: 'pid:[1]' }, / on box\)\. Wait for it; if it has/],
])('is left to %s, of whose processes nothing is known', async (_, change, sentence) => {
  const folder = await newFolder();
  await lockOf(folder, change);
  await expect(lockFolder(folder)).rejects.toThrow(sentence);
});

it('needs no file system that gives a file two names', async () => {
  const folder = await newFolder();
  vi.resetModules();
  vi.doMock('node:fs/promises', async (importOriginal) => ({
    ...(await importOriginal<typeof import('node:fs/promises')>()),
    link: () => Promise.reject(Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' })),
  }));
  const { lockFolder: withoutLinks } = await import('../../src/run/lock.ts');
  const release = await withoutLinks(folder);
  await expect(withoutLinks(folder)).rejects.toThrow(/another process works there/);
  await release();
  expect(await readdir(folder)).toEqual([]);
});

it('tells from outside whether a process works in a folder', async () => {
  const folder = await newFolder();
  expect(await isAtWork(folder)).toBe(false);
  const release = await lockFolder(folder);
  expect(await isAtWork(folder)).toBe(true);
  await release();
  expect(await isAtWork(folder)).toBe(false);
  const { child, ended } = await lockElsewhere(folder);
  expect(await isAtWork(folder)).toBe(true);
  child.kill('SIGKILL');
  await ended;
  expect(await isAtWork(folder)).toBe(false);
  await lockOf(folder, { host: 'elsewhere', boot: 'another' });
  expect(await isAtWork(folder)).toBe(true);
  await writeFile(join(folder, lockName), '');
  expect(await isAtWork(folder)).toBe(false);
  await writeFile(join(folder, lockName), 'a note');
  await expect(isAtWork(folder)).rejects.toThrow(/it holds something else/);
});
