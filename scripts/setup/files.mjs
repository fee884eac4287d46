// Small questions about files.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** All files below `path`, sorted; `path` itself when it is a file; none when it does not exist. */
export function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!lstatSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/** A hash of the names and contents of all files below `paths`, and of `extra`; the same in every checkout. */
export function fingerprint(paths, extra = '') {
  const hash = createHash('sha256').update(extra);
  for (const file of paths.flatMap(filesBelow)) hash.update(`\n${relative(root, file)}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

/** The text of a file, or undefined when there is none. */
export function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Writes a text file and the folders that lead to it. */
export function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Bytes in all files below `folder`. Files that vanish meanwhile count nothing. */
export function sizeOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true }).reduce((bytes, entry) => {
      const path = join(folder, entry.name);
      return bytes + (entry.isDirectory() ? sizeOf(path) : lstatSync(path).size);
    }, 0);
  } catch {
    return 0;
  }
}
