// Compiled addons, kept in the user's cache folder for other checkouts. Nothing depends on it: where it can't be used it is left out.
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** So many addons are kept, some 2 MB each. */
const MOST = 8;

/** The file of an addon that was kept under this key; undefined where there is none. */
export function keptAddon(key) {
  const folder = cacheFolder();
  const file = folder && join(folder, `${key}.node`);
  if (!file || !existsSync(file)) return undefined;
  optionally(() => utimesSync(file, new Date(), new Date())); // what was used last is kept longest
  return file;
}

/** Keeps a copy of an addon under a key, and forgets those that were not used for longest. */
export function keepAddon(key, addon) {
  const folder = cacheFolder();
  if (!folder) return;
  optionally(() => {
    mkdirSync(folder, { recursive: true });
    const partial = join(folder, `.${key}.${process.pid}`);
    copyFileSync(addon, partial);
    renameSync(partial, join(folder, `${key}.node`));
    const byAge = readdirSync(folder)
      .map((name) => ({ file: join(folder, name), used: statSync(join(folder, name)).mtimeMs }))
      .sort((a, b) => b.used - a.used);
    for (const { file } of byAge.slice(MOST)) rmSync(file);
  });
}

/** Where the user keeps what can be made anew; undefined for a user without a home, as containers have them. */
function cacheFolder() {
  const { XDG_CACHE_HOME } = process.env;
  const folder =
    XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : optionally(() => join(homedir(), '.cache'));
  return folder && isAbsolute(folder) ? join(folder, 'ronasmis/addons') : undefined;
}

/** What `work` makes, or undefined where the system refuses. */
function optionally(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}
