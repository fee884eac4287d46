import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const scripts = new URL('../peers/', import.meta.url);

/** A Python that has what ours is compared with. */
export interface Python {
  readonly path: string;
  /** Those of its modules that there are comparisons with. */
  readonly modules: ReadonlySet<string>;
}

const modules = ['torch', 'nnunetv2', 'monai', 'nibabel'];

/** The Python that RONASMIS_PEERS names; undefined where it names none. Throws where that does not run. */
export function findPython(): Python | undefined {
  const path = process.env.RONASMIS_PEERS;
  if (!path) return undefined;
  const question = `import importlib.util as u; print(*[m for m in ${JSON.stringify(modules)} if u.find_spec(m)])`;
  const { status, stdout, stderr } = spawnSync(path, ['-c', question], { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`RONASMIS_PEERS names ${path}, which does not run: ${stderr ?? 'there is no such file'}`);
  return { path, modules: new Set(stdout.trim().split(/\s+/)) };
}

/** The path of a script of `benchmarks/peers`. */
export const scriptPath = (name: string): string => fileURLToPath(new URL(name, scripts));

/** A running script that repeats one piece of work whenever it is told to. */
export interface Peer {
  /** What the script said of itself when it was ready. */
  readonly about: string;
  /** One repetition; its seconds, as the script measured them. */
  repeat(): Promise<number>;
  /** Ends the script, and waits until it has. */
  close(): Promise<void>;
}

/**
 * Starts a script of `benchmarks/peers` with one argument, as JSON, and waits until it is ready.
 * Rejects where it fails, or is not ready within `limitSeconds`.
 */
export async function openPeer(python: Python, script: string, argument: unknown, limitSeconds = 120): Promise<Peer> {
  const child = spawn(python.path, [scriptPath(script), JSON.stringify(argument)], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.on('error', (error) => {
    complaint += error.message;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  // Writing to a script that has ended fails; what `next` says then is more telling.
  child.stdin.on('error', () => {});
  const ended = new Promise((resolve) => child.on('close', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`${script} ended early: ${lastLine(complaint)}`);
    return value;
  };
  const limit = setTimeout(() => {
    complaint = `it was not ready within ${limitSeconds} s`;
    child.kill('SIGKILL');
  }, limitSeconds * 1000);
  const about = await next().finally(() => clearTimeout(limit));
  return {
    about,
    repeat: async () => {
      child.stdin.write('\n');
      return Number(await next());
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Opens a peer for `work` alone. */
export async function withPeer<Result>(opened: Promise<Peer>, work: (peer: Peer) => Promise<Result>): Promise<Result> {
  const peer = await opened;
  try {
    return await work(peer);
  } finally {
    await peer.close();
  }
}
