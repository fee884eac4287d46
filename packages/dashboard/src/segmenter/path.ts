// As much of `node:path` as the names of scans need, for the page: files that are dropped have a path of names with slashes between them.

export const sep = '/';

/** The path without `.`, `..` and empty names; one that begins with a slash begins with one. */
function normal(path: string): string {
  const names: string[] = [];
  for (const name of path.split(sep)) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return (path.startsWith(sep) ? sep : '') + names.join(sep);
}

/** Parts of a path one after the other. */
export const join = (...parts: readonly string[]): string => normal(parts.filter((part) => part !== '').join(sep));

/** The path from the root, which is where the page's files lie. */
export const resolve = (...parts: readonly string[]): string => normal(sep + join(...parts));

/** The last name of a path. */
export const basename = (path: string): string => normal(path).split(sep).at(-1) ?? '';

/** The path of what something lies in. */
export function dirname(path: string): string {
  const whole = normal(path);
  const at = whole.lastIndexOf(sep);
  if (at < 0) return '.';
  return at === 0 ? sep : whole.slice(0, at);
}
