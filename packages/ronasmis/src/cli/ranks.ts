import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Option } from 'commander';
import { freePort } from '../ranks/free-port.ts';
import { gpuOf } from '../ranks/gpu.ts';
import { rankOf } from '../ranks/launcher.ts';
import { alone, type Team } from '../ranks/team.ts';
import { Exit } from './exit.ts';
import { integerBetween } from './options.ts';
import { note } from './output.ts';

/** For so long a rank waits for others to be started, which a launcher may do one after the other. */
const meetingSeconds = 15 * 60;
/** For so long it waits for one that is alive and does not come: what the first one prepares alone may take an hour. */
const exchangeSeconds = 2 * 60 * 60;
/** What the others have to end by themselves once one has failed. */
const graceMilliseconds = 10_000;

export const ranksOption = (): Option =>
  new Option('--ranks <n>', 'processes of this machine to train in together').argParser(integerBetween(2, 1024));

/**
 * Has the ranks that this process's launcher has started meet, and leaves them at the end; a process that nobody has started as one works alone.
 * @throws UserError where the launcher's variables make no sense, a RankError where the others do not come
 */
export async function withTeam<Result>(work: (team: Team) => Promise<Result>): Promise<Result> {
  const rank = rankOf(process.env);
  if (rank === null) return work(alone);
  // Before libtorch is loaded, and CUDA with it.
  const gpu = gpuOf(rank, process.env);
  if (gpu !== undefined) process.env.CUDA_VISIBLE_DEVICES = gpu;
  const { joinRanks } = await import('@ronasmis/libtorch');
  const { teamOf } = await import('../ranks/team-of.ts');
  const ranks = joinRanks({ ...rank, meetingSeconds, exchangeSeconds });
  try {
    return await work(teamOf(ranks));
  } finally {
    ranks.leave();
  }
}

/**
 * Starts this very command as so many ranks, and waits for them. Each takes its share of the processor's cores.
 * @throws Exit with the code of the first that failed
 */
export async function startRanks(size: number): Promise<void> {
  const port = await freePort();
  const threads = Math.max(1, Math.floor(availableParallelism() / size));
  const args = withoutRanks(process.argv.slice(1));
  const started = Array.from({ length: size }, (_, rank) =>
    spawn(process.execPath, [...process.execArgv, ...args], {
      stdio: ['inherit', rank === 0 ? 'inherit' : 'ignore', 'inherit'],
      env: {
        OMP_NUM_THREADS: String(threads),
        ...process.env,
        RANK: String(rank),
        WORLD_SIZE: String(size),
        LOCAL_RANK: String(rank),
        LOCAL_WORLD_SIZE: String(size),
        MASTER_ADDR: '127.0.0.1',
        MASTER_PORT: String(port),
      },
    }),
  );
  // On a terminal Ctrl-C reaches all of them as well.
  const wait = (): void => {};
  const stop = (): void => started.forEach((child) => void child.kill('SIGTERM'));
  process.on('SIGINT', wait).on('SIGTERM', stop);
  try {
    const ended = started.map(endOf);
    const first = await Promise.race([failureAmong(ended), Promise.all(ended).then(() => undefined)]);
    if (first === undefined) return;
    // Once all have ended, nobody is waited for.
    const left = await Promise.race([Promise.all(ended), setTimeout(graceMilliseconds, undefined, { ref: false })]);
    if (left === undefined) for (const child of started) child.kill('SIGKILL');
    if (first.signal !== null) note(`Rank ${first.rank} of ${size} was ended by ${first.signal}.`);
    throw new Exit(first.code ?? 1);
  } finally {
    process.off('SIGINT', wait).off('SIGTERM', stop);
  }
}

interface End {
  readonly rank: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const endOf = (child: ChildProcess, rank: number): Promise<End> =>
  new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code, signal) => resolve({ rank, code, signal }));
  });

/** The first that fails; never resolves where none does. */
const failureAmong = (ended: readonly Promise<End>[]): Promise<End> =>
  new Promise((resolve, reject) => {
    for (const one of ended) one.then((end) => end.code !== 0 && resolve(end), reject);
  });

/** The words of a command without `--ranks N`. */
function withoutRanks(words: readonly string[]): readonly string[] {
  const at = words.indexOf('--ranks');
  const others = at < 0 ? words : [...words.slice(0, at), ...words.slice(at + 2)];
  return others.filter((word) => !word.startsWith('--ranks='));
}
