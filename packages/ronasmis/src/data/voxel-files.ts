import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { isThere, mendable } from './files.ts';

/** How the header of a MetaImage or a NRRD file names its files of voxels. */
const KEY = /^(ElementDataFile[ \t]*=[ \t]*|data ?file:[ \t]*)(.*)$/im;
/** A name of which the number is left out, the first and the last number, the step, and the dimensions of each file. */
const PATTERN = /^(.+?)\s+(-?\d+)\s+(-?\d+)(?:\s+(-?\d+))?(?:\s+(\d+))?$/;
const NUMBER = /%(0?)(\d*)d/;

/**
 * Has ITK read a MetaImage or NRRD file. It sees the folder of the file alone, takes every % for the place of a number, and wants the endings of MetaImage
 * in small letters: where a file is called or its voxels lie otherwise, it is given copies, which are removed afterwards.
 * @param file without links on its way
 * @param called what messages name
 * @throws UserError where a file of voxels is not there
 */
export async function withVoxelFiles<T>(file: string, called: string, read: (file: string) => Promise<T>): Promise<T> {
  const header = /\.(mhd|nhdr)$/i.test(file) ? await readHeader(file) : undefined;
  const isCalledSo = !/\.mh[ad]$/i.test(file) || /\.mh[ad]$/.test(file);
  if (isCalledSo && (header === undefined || header.files.every(isPlain))) return read(file);
  const paths = header?.files.map((name) => resolve(dirname(file), name)) ?? [];
  for (const [i, path] of paths.entries()) {
    if (await isThere(path)) continue;
    throw new UserError(`${called}: its voxels are to be in ${header?.files[i]}, which is not there. Copy it too.`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'ronasmis-'));
  try {
    const copy = join(folder, `scan${extname(file).toLowerCase()}`);
    await Promise.all(paths.map((path, i) => mendable(path, () => copyFile(path, join(folder, `${i}.raw`)))));
    if (header === undefined) await mendable(file, () => copyFile(file, copy));
    else await writeFile(copy, header.naming(paths.map((_, i) => `${i}.raw`)), 'latin1');
    return await read(copy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The files of voxels that a header names; none where it has its own. */
export async function voxelFilesOf(file: string): Promise<readonly string[]> {
  const header = /\.(mhd|nhdr)$/i.test(file) ? await readHeader(file) : undefined;
  return header?.files.map((name) => resolve(dirname(file), name)) ?? [];
}

/** A header whose voxels lie in other files. */
interface Header {
  /** As paths from the header's folder. */
  readonly files: readonly string[];
  /** Its text with other names for them. */
  readonly naming: (names: readonly string[]) => string;
}

/** @returns undefined where the voxels are in the same file, or it is not said where they are */
async function readHeader(file: string): Promise<Header | undefined> {
  // Byte for byte, whatever the names are written in.
  const text = await mendable(file, () => readFile(file, 'latin1'));
  const found = KEY.exec(text);
  if (found === null) return undefined;
  const [line, key, value] = found;
  const [before, behind] = [text.slice(0, found.index), text.slice(found.index + line.length)];
  if (/^local$/i.test(value.trim())) return undefined;
  const [list, dimensions = ''] = value.trim().split(/\s+/);
  // A list is the end of the header.
  const several = (others: string, each: string) => (names: readonly string[]) =>
    [`${before}${others}${key}${`LIST ${each}`.trim()}`, ...names, ''].join('\n');
  if (list === 'LIST') {
    const files = behind.split('\n').map(toPath);
    return { files: files.filter((name) => name !== ''), naming: several('', dimensions) };
  }
  const [, pattern = '', first, last, step = '1', each = ''] = PATTERN.exec(value.trim()) ?? [];
  if (NUMBER.test(pattern) && Number(step) !== 0) {
    const count = Math.max(0, Math.floor((Number(last) - Number(first)) / Number(step)) + 1);
    const numbers = Array.from({ length: count }, (_, i) => String(Number(first) + i * Number(step)));
    const filled = (number: string) =>
      pattern.replace(NUMBER, (_, zero: string, width: string) => number.padStart(Number(width), zero || ' '));
    return { files: numbers.map(filled).map(toPath), naming: several(`${behind.trim()}\n`.trimStart(), each) };
  }
  return { files: [toPath(value)], naming: ([name]) => `${before}${key}${name}${behind}` };
}

const toPath = (name: string): string => Buffer.from(name.trim(), 'latin1').toString().replaceAll('\\', '/');

/** Whether ITK finds a file of this name. */
const isPlain = (name: string): boolean => /^[^%\s/\\]+$/.test(name);
