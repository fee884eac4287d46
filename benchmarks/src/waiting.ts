import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Bench, say } from './bench.ts';
import { type Row, timeRow } from './row.ts';
import { median } from './statistics.ts';

/** How OpenMP's threads wait: spinning, as they do by themselves (libgomp counts to 300,000), for less long, or asleep. */
const spinning = 'GOMP_SPINCOUNT=300000';
const inUse = 'GOMP_SPINCOUNT=1000';
const ways = {
  alone: [spinning, 'GOMP_SPINCOUNT=10000', inUse, 'OMP_WAIT_POLICY=passive'],
  amongAll: [spinning, inUse],
};
const rounds = { alone: 3, amongAll: 1 };
const stepSeconds = 6;

/** What else computes on the machine meanwhile. */
const situations: Readonly<Record<string, (way: string) => Promise<number>>> = {
  alone: (way) => steps(way),
  'beside another search': async (way) => Math.max(...(await Promise.all([steps(way), steps(way)]))),
  'beside a program on one core': async (way) => {
    const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
    return steps(way).finally(() => busy.kill());
  },
};

/** What waiting threads cost: a training step alone, and where others compute on the same cores. The ways take turns. */
export async function waiting({ whole }: Bench): Promise<readonly Row[]> {
  const compared = whole ? ways.amongAll : ways.alone;
  const rows: Row[] = [];
  for (const [situation, measure] of Object.entries(situations)) {
    const seconds = new Map<string, number[]>(compared.map((way) => [way, []]));
    for (let round = 0; round < (whole ? rounds.amongAll : rounds.alone); round += 1) {
      for (const [way, taken] of seconds) taken.push(await measure(way));
    }
    const medians = new Map([...seconds].map(([way, taken]) => [way, median(taken)]));
    const theirs = medians.get(spinning) ?? Number.NaN;
    for (const [way, ours] of medians) {
      say(`waiting: ${situation}, ${way}: ${(1000 * ours).toFixed(0)} ms`);
      if (way === spinning) continue;
      const goal = situation === 'alone' ? { atMost: 1.02 } : { atLeast: 1 };
      rows.push(timeRow(`training step ${situation}, ${way}`, "OpenMP's own", { ours, theirs }, goal));
    }
  }
  return rows;
}

/** Median seconds of a training step in a process of its own. */
async function steps(way: string): Promise<number> {
  const program = fileURLToPath(new URL('waiting-run.js', import.meta.url));
  const [variable, value] = way.split('=');
  const env = { ...process.env, [variable]: value };
  const { stdout } = await promisify(execFile)(process.execPath, [program, String(stepSeconds)], { env });
  return Number(stdout);
}
