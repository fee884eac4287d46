import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

/** How a process ended: its exit code, or the signal that killed it, and what it has written. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process whose output can be read. */
type Readably = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };

/** Waits until a process has ended. */
export function endOf(child: Readably): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, ...written }));
  });
}
