import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from 'ronasmis/internal';
import { z } from 'zod';
import { say } from './bench.ts';
import { type Row, ratioRow } from './row.ts';

/** The paper's data, in patches of nnU-Net's plans for them: channels, classes, levels of flat kernels, and voxels of the patch. */
const tasks = [
  { title: 'prostates', inputChannels: 2, classes: 3, flatLevels: 2, patch: [16, 320, 320] },
  { title: 'hearts', inputChannels: 1, classes: 2, flatLevels: 0, patch: [80, 192, 160] },
  { title: 'brain tumours', inputChannels: 4, classes: 4, flatLevels: 0, patch: [128, 128, 128] },
] as const;

const figuresSchema = z.object({ step: z.number(), exchange: z.number(), together: z.number(), bytes: z.number() });

/** What two ranks of this machine, each on half of its cores, take to exchange a step's gradients, beside the step itself. */
export async function ranks(): Promise<readonly Row[]> {
  if (process.platform !== 'linux') {
    say('Left out: ranks, which exchange by Gloo, on Linux alone.');
    return [];
  }
  const rows: Row[] = [];
  for (const { title, inputChannels, classes, flatLevels, patch } of tasks) {
    const words = [inputChannels, classes, flatLevels, ...patch].map(String);
    const { step, exchange, together, bytes } = await measure(words);
    const size = `${patch.join('x')} of ${title}`;
    say(
      `ranks: ${size}: ${step.toFixed(3)} s a step, ${exchange.toFixed(4)} s for ${(bytes / 2 ** 20).toFixed(1)} MiB, together ${together.toFixed(3)} s`,
    );
    const share = (seconds: number): number => seconds / (step + seconds);
    rows.push(
      ratioRow(`exchange between 2 ranks, ${size}`, 'the whole step', share(exchange), { atMost: 0.05 }),
      ratioRow(
        `what of it the way back does not hide, ${size}`,
        'the whole step',
        share(Math.max(0, together - step)),
        {
          atMost: 0.05,
        },
      ),
    );
  }
  return rows;
}

/** Of the slower of two ranks. */
async function measure(words: readonly string[]): Promise<z.infer<typeof figuresSchema>> {
  const script = fileURLToPath(new URL('ranks-run.js', import.meta.url));
  const threads = Math.max(1, Math.floor(availableParallelism() / 2));
  const common = { WORLD_SIZE: '2', MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(await freePort()) };
  const both = await Promise.all(
    ['0', '1'].map(async (rank) => {
      const env = { ...process.env, ...common, RANK: rank, OMP_NUM_THREADS: String(threads) };
      const { stdout } = await promisify(execFile)(process.execPath, [script, ...words], { env });
      return figuresSchema.parse(JSON.parse(stdout));
    }),
  );
  const slowest = (of: 'step' | 'exchange' | 'together'): number => Math.max(...both.map((figures) => figures[of]));
  return { step: slowest('step'), exchange: slowest('exchange'), together: slowest('together'), bytes: both[0].bytes };
}
