import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Ended, endOf } from '../../../../test/ended.ts';

const program = fileURLToPath(new URL('../../bin/ronasmis.mjs', import.meta.url));

export type { Ended };

/** Starts the built command line in a process of its own. */
export const start = (...args: readonly string[]): Started => startScript(program, ...args);

/** The same with more variables in its environment. */
export const startAs = (env: NodeJS.ProcessEnv, ...args: readonly string[]): Started =>
  watch(
    spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } }),
  );

export interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
}

/** Starts a script with Node, whose options may come before it. */
export function startScript(...args: readonly string[]): Started {
  return watch(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** Starts a line as it is typed into a shell, in a process group of its own: what Ctrl-C stops. */
export function startLine(line: string, folder: string, env: NodeJS.ProcessEnv): Started {
  return watch(spawn(line, { shell: true, detached: true, cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

function watch(child: ChildProcessByStdio<null, Readable, Readable>): Started {
  return { child, ended: endOf(child) };
}

/** Runs the built command line to its end. */
export const ronasmis = (...args: readonly string[]): Promise<Ended> => start(...args).ended;
