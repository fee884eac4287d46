import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

// What this process may take of its machine: in a container, in a batch job or in a user's slice less than the machine has. Linux tells
// it in the files of control groups, of version 2 (one folder a group) or version 1 (one a group and controller); a limit of any group
// that the process's own lies in holds as well. Parameters named `root` are for tests: the folder that stands for `/`.

/**
 * Processors, at least 1: those that the process may run on, or what a quota of processor time comes to, rounded up, for threads that
 * are not held up use what is left of the last one.
 */
export function availableProcessors(root = '/'): number {
  const quota = Math.min(...groupFolders(root, 'cpu').map(quotaOf));
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(quota)));
}

/** Bytes of memory: the machine's, or the limit of a control group. */
export function machineMemoryBytes(root = '/'): number {
  return Math.min(totalmem(), ...groupFolders(root, 'memory').map(memoryLimitOf));
}

/** Bytes of memory that could be taken now. Files that the system keeps in memory count as free, as they do on the machine as a whole. */
export function availableMemoryBytes(root = '/'): number {
  const free = groupFolders(root, 'memory').map((folder) => {
    const limit = memoryLimitOf(folder);
    return limit < Infinity ? Math.max(0, limit - usedMemoryOf(folder)) : Infinity;
  });
  return Math.min(freemem(), ...free);
}

type Controller = 'cpu' | 'memory';

/** Folders of the process's control group and of all that it lies in, as far as they are seen from here. */
function groupFolders(root: string, controller: Controller): readonly string[] {
  const groups = textOf(join(root, 'proc/self/cgroup')) ?? '';
  const mounts = join(root, 'sys/fs/cgroup');
  return [...groups.matchAll(/^\d+:([^:]*):(.*)$/gm)].flatMap(([, controllers, path]) => {
    if (controllers === '') return parents(path).map((parent) => join(mounts, parent));
    if (!controllers.split(',').includes(controller)) return [];
    // Controllers that are mounted together have a folder of both names.
    const folders = [...new Set([controllers, controller])];
    return folders.flatMap((folder) => parents(path).map((parent) => join(mounts, folder, parent)));
  });
}

/** `/a/b`, `/a` and `/`. In a container the path may be the host's: then only the last is there. */
function parents(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...parents(parent)];
}

/** Processors that a group's quota comes to: infinite without one. */
function quotaOf(folder: string): number {
  const both = textOf(join(folder, 'cpu.max'))?.split(' ');
  const [quota, period] = both ?? ['quota', 'period'].map((name) => textOf(join(folder, `cpu.cfs_${name}_us`)));
  const processors = Number(quota) / Number(period); // not a number: 'max', or no file
  return processors > 0 ? processors : Infinity;
}

function memoryLimitOf(folder: string): number {
  const text = textOf(join(folder, 'memory.max')) ?? textOf(join(folder, 'memory.limit_in_bytes'));
  const bytes = Number(text); // not a number: 'max', or no file
  return text !== undefined && bytes >= 0 ? bytes : Infinity;
}

function usedMemoryOf(folder: string): number {
  const used = textOf(join(folder, 'memory.current')) ?? textOf(join(folder, 'memory.usage_in_bytes'));
  const statistics = textOf(join(folder, 'memory.stat')) ?? '';
  // Version 1 counts a group alone, and as total_... with those in it, as version 2 does.
  const prefix = statistics.includes('total_') ? 'total_' : '';
  const files = ['inactive_file', 'active_file'].map((name) =>
    Number(new RegExp(`^${prefix}${name} (\\d+)$`, 'm').exec(statistics)?.[1] ?? 0),
  );
  return Number(used ?? 0) - files[0] - files[1];
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined; // another version, another system, or not to be seen from here
  }
}
