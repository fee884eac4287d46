import { readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { UserError } from '../base/errors.ts';
import { copyInto, fixable, isThere, withCopies } from '../base/files.ts';

/** How the header of a MetaImage or a NRRD file names its files of voxels. */
const KEY = /^(ElementDataFile[ \t]*=[ \t]*|data ?file:[ \t]*)(.*)$/im;
/** A name of which the number is left out, the first and the last number, the step, and the dimensions of each file. */
const PATTERN = /^(.+?)\s+(-?\d+)\s+(-?\d+)(?:\s+(-?\d+))?(?:\s+(\d+))?$/;
const NUMBER = /%(0?)(\d*)d/;

/**
 * Has ITK read a MetaImage or NRRD file. It sees the folder of the file alone, follows no links, takes every % for the place of a number, and wants the
 * endings of MetaImage in small letters: where a file is called or its voxels lie otherwise, it is given copies, which are removed afterwards.
 * Voxels lie beside the file as it is called or, where a link leads to it, beside the file itself.
 * @param called what messages name; its ending tells the format, for stores of files (git-annex, DVC) have names of their own
 * @throws UserError where a file of voxels is not there
 */
export async function withVoxelFiles<T>(called: string, read: (file: string) => Promise<T>): Promise<T> {
  const file = await fixable(called, () => realpath(called));
  const ending = extname(called).toLowerCase();
  const header = await readHeader(called);
  const paths = await Promise.all(header?.files.map((name) => findVoxels(name, called, file)) ?? []);
  const found = extname(file);
  const isCalledSo = ending.startsWith('.mh') ? found === ending : found.toLowerCase() === ending;
  if (isCalledSo && paths.every((path, i) => isSeen(path, header?.files[i], file))) return read(file);
  const copies = async (folder: string): Promise<string> => {
    const copy = join(folder, `scan${ending}`);
    await Promise.all(paths.map((path, i) => copyInto(path, join(folder, `${i}.raw`))));
    if (header === undefined) await copyInto(file, copy);
    else await writeFile(copy, header.naming(paths.map((_, i) => `${i}.raw`)), 'latin1');
    return copy;
  };
  return withCopies(called, copies, read);
}

/** The files of voxels that a header names; none where it has its own. */
export async function voxelFilesOf(file: string): Promise<readonly string[]> {
  const header = await readHeader(file);
  return header?.files.map((name) => resolve(dirname(file), name)) ?? [];
}

/** The path of a file of voxels, without links on its way. */
async function findVoxels(name: string, called: string, file: string): Promise<string> {
  for (const header of [called, file]) {
    const path = resolve(dirname(header), name);
    if (await isThere(path)) return fixable(path, () => realpath(path));
  }
  throw new UserError(`${called}: its voxels are to be in ${name}, which is not there. Copy it too.`);
}

/** Whether ITK finds voxels by the name that the header has for them. */
const isSeen = (path: string, name = '', header: string): boolean =>
  isPlain(name) && path === join(dirname(header), name);

/** A header whose voxels lie in other files. */
interface Header {
  /** As paths from the header's folder. */
  readonly files: readonly string[];
  /** Its text with other names for them. */
  readonly naming: (names: readonly string[]) => string;
}

/** @returns undefined where the voxels are in the same file, as the ending may say, or it is not said where they are */
async function readHeader(file: string): Promise<Header | undefined> {
  if (!/\.(mhd|nhdr)$/i.test(file)) return undefined;
  // Byte for byte, whatever the names are written in.
  const text = await fixable(file, () => readFile(file, 'latin1'));
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
