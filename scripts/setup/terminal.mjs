// How set-up speaks and how it runs other programs. Everything goes to stderr: stdout belongs to the verb that follows.
import { spawn } from 'node:child_process';

/** Something that the user can fix; the message says how. Set-up ends with exit code 2. */
export class SetupError extends Error {}

/** One plain line. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Announces a step, runs it, and says how many seconds it took. */
export async function step(title, work) {
  say(`${title} ...`);
  const started = performance.now();
  const result = await work();
  say(`  done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

/**
 * Runs a program to its end and returns { code, output }; code is null when it could not be started.
 * With `show` its output goes straight to the terminal instead.
 */
export function run(command, args, { env = process.env, cwd, show = false, input = '' } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd, stdio: show ? ['ignore', 2, 2] : 'pipe', detached: true });
    running.add(child);
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.stdin?.on('error', () => {}); // a program may end before it has read its input
    child.stdin?.end(input);
    const end = (result) => {
      running.delete(child);
      resolve(result);
    };
    child.on('error', (error) => end({ code: null, output: error.message }));
    child.on('close', (code) => end({ code, output }));
  });
}

// Programs run in process groups of their own, so that an interrupted set-up takes what they have started along.
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of running) if (child.pid) process.kill(-child.pid, signal);
    say('Interrupted. Start again to finish the set-up.');
    process.exit(130);
  });
}

/** Runs a program that must succeed; otherwise its last lines and `fix` make the error. */
export async function mustRun(command, args, fix, options) {
  const { code, output } = await run(command, args, options);
  if (code === 0) return output;
  const lastLines = output.trimEnd().split('\n').slice(-30).join('\n');
  throw new SetupError([lastLines, `'${command} ${args[0] ?? ''}' failed. ${fix}`].filter(Boolean).join('\n'));
}
