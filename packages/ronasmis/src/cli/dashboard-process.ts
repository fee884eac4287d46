import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { codeOf, UserError } from '../base/errors.ts';
import { Exit } from './exit.ts';
import { note, print, printJson } from './output.ts';

/** The server of a page: a process of its own, since a search keeps its main thread busy. */
export interface DashboardProcess {
  /** That a browser opens. Rejects with the server's exit code where it could not be started; it has said why. */
  readonly address: Promise<string>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly stop: () => void;
}

/** What is served: the live page of these runs, or the files of a folder as they are. */
export type Served = { readonly runs: readonly string[] } | { readonly files: string };

/**
 * Starts the server. It ends with this process, whatever ends that. No part of the package is imported: whoever has the library
 * alone can do without it.
 * @param port a free one where it is 0
 * @throws UserError where the package is not installed
 */
export function startDashboard(served: Served, port: number): DashboardProcess {
  const what = 'files' in served ? ['--files', served.files] : ['--', ...served.runs];
  // A group of its own: Ctrl-C lets a search finish its step, which is watched until then.
  const child = spawn(process.execPath, [programPath(), '--port', String(port), ...what], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const address = new Promise<string>((resolve, reject) => {
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', reject).once('exit', (code) => reject(new Exit(code ?? 1)));
  });
  return {
    address,
    ended,
    stop: () => {
      if (child.connected) child.disconnect();
    },
  };
}

/** How a page is served by the command line. */
interface Serving {
  /** One that is free where it is 0. */
  readonly port: number;
  readonly json?: true | undefined;
  /** What Ctrl-C does. */
  readonly hint: string;
}

/** Serves until Ctrl-C, and prints the address. @throws UserError as {@link startDashboard} does */
export async function serveUntilStopped(served: Served, { port, json, hint }: Serving): Promise<void> {
  const { address: starting, ended, stop } = startDashboard(served, port);
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    const address = await starting;
    if (json) printJson({ address });
    else print(address);
    note(`Open this address in your browser. ${hint}`);
    await ended;
  } finally {
    stop();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function programPath(): string {
  try {
    return createRequire(import.meta.url).resolve('@ronasmis/dashboard/main');
  } catch (error) {
    if (codeOf(error) !== 'MODULE_NOT_FOUND') throw error;
    throw new UserError("The live page is not installed: type 'npm install @ronasmis/dashboard', or do without it.");
  }
}
