import { spawn } from 'node:child_process';
import { createConnection, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { endOf } from '../../../test/ended.ts';
import { fromSource } from '../../../test/from-source.ts';
import type { Meeting } from '../src/index.ts';

/** What became of a rank's process. */
export interface Ended {
  /** What it has said, from JSON; undefined where it has said nothing. */
  readonly said: unknown;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Listens at a port of this machine that nothing else listens at. */
export async function listen(): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return { port: address.port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** A port that nothing listens at now. */
export async function freePort(): Promise<number> {
  const { port, close } = await listen();
  await close();
  return port;
}

/** Waits until something listens at a port of this machine. */
export async function untilServed(port: number): Promise<void> {
  const answers = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = createConnection(port, '127.0.0.1')
        .on('connect', () => {
          socket.destroy();
          resolve(true);
        })
        .on('error', () => resolve(false));
    });
  while (!(await answers())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Has a process of its own do one of the things that rank.mjs can, as this rank. */
export async function startRank(what: string, meeting: Meeting, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const script = fileURLToPath(new URL('rank.mjs', import.meta.url));
  const child = spawn(process.execPath, [...fromSource, script, what, JSON.stringify(meeting)], {
    env: { ...process.env, ...env },
  });
  const { stdout, signal, stderr } = await endOf(child);
  return { said: stdout === '' ? undefined : JSON.parse(stdout), signal, stderr };
}

/** All ranks of a group on this machine, the first of which serves the meeting point. */
export async function startRanks(
  what: string,
  size: number,
  changes: Partial<Meeting> = {},
): Promise<readonly Ended[]> {
  const port = await freePort();
  const common = {
    size,
    host: '127.0.0.1',
    port,
    name: 'test',
    servedBy: 'rank 0',
    meetingSeconds: 100,
    exchangeSeconds: 100,
  } as const;
  return Promise.all(Array.from({ length: size }, (_, rank) => startRank(what, { rank, ...common, ...changes })));
}
