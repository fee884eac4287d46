import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../packages/ronasmis/bin/ronasmis.mjs', import.meta.url));

/** Runs a program to its end and gives the seconds from its start to its end. Rejects, with its last words, where it fails. */
export function runCommand(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<number> {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      if (code === 0) resolve((performance.now() - started) / 1000);
      else reject(new Error(`${command} ${args.slice(0, 3).join(' ')} failed: ${complaint}`));
    });
  });
}

/** Runs the built command line, as a user would. */
export const ronasmis = (...args: readonly string[]): Promise<number> =>
  runCommand(process.execPath, [program, ...args]);

/** A command that serves a page until it is stopped. */
export interface Serving {
  readonly address: string;
  readonly stop: () => void;
}

/** Starts one, and waits for the address that it prints first. Rejects where it ends before. */
export async function serving(...args: readonly string[]): Promise<Serving> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.on('error', reject).on('close', (code) => reject(new Error(`${args.join(' ')} ended with ${code}.`)));
  });
  return { address, stop: () => void child.kill('SIGINT') };
}
