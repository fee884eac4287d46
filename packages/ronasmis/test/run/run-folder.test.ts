import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { createRunFolder, writeRunFile } from '../../src/run/run-folder.ts';
import { writeRunFolder } from '../cli/run.ts';
import { temporaryFolder } from '../formats/scans.ts';

const root = await temporaryFolder();
const newFolder = () => mkdtemp(join(root, 'run-'));

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  return String(error);
}

describe('createRunFolder', () => {
  it('makes the folder and those above it, or takes one that is there, and leaves nothing in it', async () => {
    const folder = join(await newFolder(), 'a', 'b');
    await createRunFolder(folder);
    await createRunFolder(folder);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a folder that holds a run', async () => {
    const folder = await newFolder();
    await writeRunFolder(folder, false);
    const before = await readFile(join(folder, 'run.json'), 'utf8');
    expect(await refusal(createRunFolder(folder))).toMatch(/holds a run already: .*'ronasmis resume .*another folder/);
    expect(await readFile(join(folder, 'run.json'), 'utf8')).toBe(before);
  });

  it('refuses a folder that cannot be written', async () => {
    await writeFile(join(root, 'file'), '');
    for (const folder of [join(root, 'file', 'run'), join(root, 'file'), join(root, 'nul\0'), '/proc/run']) {
      expect(await refusal(createRunFolder(folder))).toMatch(
        /cannot be written \(.*\): give another folder with --out/,
      );
    }
  });
});

describe('writeRunFile', () => {
  it('shows a reader the old content or the new one, never a part', async () => {
    const folder = await newFolder();
    const contents = ['a', 'b'].map((letter) => letter.repeat(3_000_000));
    await writeRunFile(folder, 'file', contents[0]);
    let writing = true;
    const writes = (async () => {
      for (let i = 1; i <= 12; i += 1) await writeRunFile(folder, 'file', contents[i % 2]);
      writing = false;
    })();
    const seen = new Set<number>();
    while (writing) seen.add(contents.indexOf(await readFile(join(folder, 'file'), 'utf8')));
    await writes;
    expect([...seen].sort()).toEqual([0, 1]);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('keeps the old content where it fails', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'taken', 'inside'), { recursive: true });
    await expect(writeRunFile(folder, 'taken', 'new')).rejects.toThrow();
    expect(await readdir(join(folder, 'taken'))).toEqual(['inside']);
  });
});
