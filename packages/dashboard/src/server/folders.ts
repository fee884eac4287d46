import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { ListedFolder } from '../shared/messages.ts';

/** A folder that the page was started for. */
export interface NamedFolder {
  /** By which addresses name it: never a path. */
  readonly id: string;
  readonly path: string;
}

/** A run folder: one that was named itself, or one within a study or a comparison. */
export interface RunFolder {
  readonly id: string;
  readonly name: string;
  readonly path: string;
}

/** The folders of the command line, each with a name of its own. */
export function nameFolders(paths: readonly string[]): readonly NamedFolder[] {
  const named: NamedFolder[] = [];
  for (const path of new Set(paths.map((path) => resolve(path)))) {
    const name = basename(path).replaceAll(/[^\w.-]/g, '_') || 'run';
    const same = named.filter(({ path: other }) => basename(other) === basename(path)).length;
    named.push({ id: same === 0 ? name : `${name}~${same + 1}`, path });
  }
  return named;
}

/** What a folder holds, as far as it says it now: a run, unless it has the record of several. */
export async function kindOfFolder({ path }: NamedFolder): Promise<ListedFolder['kind']> {
  for (const kind of ['study', 'compare', 'headroom'] as const) {
    if (await isThere(join(path, `${kind}.json`))) return kind;
  }
  return 'run';
}

/** The runs of a folder: it itself, or those within it that have begun. */
export async function runsOf(folder: NamedFolder, kind: ListedFolder['kind']): Promise<readonly RunFolder[]> {
  const { id, path } = folder;
  if (kind === 'run') return [{ id, name: basename(path), path }];
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const runs = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => ({ id: `${id}:${name}`, name, path: join(path, name) }))
    .sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }));
  const begun = await Promise.all(runs.map((run) => isThere(join(run.path, 'run.json'))));
  return runs.filter((_, at) => begun[at]);
}

/** The run of this name; undefined where there is none. */
export async function runNamed(folders: readonly NamedFolder[], id: string): Promise<RunFolder | undefined> {
  const folder = folders.find((one) => one.id === id || id.startsWith(`${one.id}:`));
  if (folder === undefined) return undefined;
  const kind = folder.id === id ? 'run' : await kindOfFolder(folder);
  return (await runsOf(folder, kind)).find((run) => run.id === id);
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
