import { mkdir, open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeFolder, writeAtomically } from '../../src/base/files.ts';
import { temporaryFolder } from '../formats/scans.ts';

const root = await temporaryFolder();

it('makes folders below the same missing ones at once, whatever the order in which the calls get their turns', async () => {
  for (let round = 0; round < 200; round += 1) {
    const parent = join(root, `${round}`, 'missing', 'too');
    const folders = ['one', 'two', 'three', 'three'].map((name) => join(parent, name));
    await Promise.all([mkdir(join(root, `${round}`)).catch(() => {}), ...folders.map(makeFolder)]);
    for (const folder of folders) expect((await stat(folder)).isDirectory()).toBe(true);
  }
});

describe('a file system that is asked to bring a file to the disk', async () => {
  const handle = await open(import.meta.filename);
  const FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const refuse = (code: string) =>
    vi
      .spyOn(FileHandle, 'sync')
      .mockRejectedValue(Object.assign(new Error(`${code}: fsync`), { code, syscall: 'fsync' }));
  afterEach(() => vi.restoreAllMocks());

  it.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])('may not know how to (%s)', async (code) => {
    const sync = refuse(code);
    const file = join(root, code);
    await writeAtomically(file, Buffer.from('whole'));
    expect(sync).toHaveBeenCalled();
    expect(await readFile(file, 'utf8')).toBe('whole');
  });

  it.each([
    ['EIO', /the system refuses it .*Check the disk/],
    ['ENOSPC', /the disk is full/],
  ])('may fail (%s)', async (code, sentence) => {
    refuse(code);
    const folder = join(root, `${code} folder`);
    await mkdir(folder);
    await expect(writeAtomically(join(folder, 'file'), Buffer.from('part'))).rejects.toThrow(sentence);
    expect(await readdir(folder)).toEqual([]);
  });
});
