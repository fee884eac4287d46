import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type Bench, say } from './bench.ts';
import { dataFolders } from './data.ts';
import { type Row, ratioRow } from './row.ts';
import { median } from './statistics.ts';

const gibibyte = 2 ** 30;
const budgets = [1, 2, 4].map((gibibytes) => gibibytes * gibibyte);
const many = { alone: 200, amongAll: 10 };
/** How far off a prediction may be. */
const tolerance = 0.15;

const resultSchema = z.object({
  patch: z.array(z.number()),
  channels: z.array(z.number()),
  measured: z.array(z.object({ predicted: z.number(), measured: z.number() })),
});

/** Whether random children take the memory that is predicted, and keep within budgets: of the process, each trained and evaluated once. */
export async function memory({ data, whole, temporary }: Bench): Promise<readonly Row[]> {
  if (process.platform !== 'linux') {
    say('Left out: memory, for only Linux lets a process forget its peak.');
    return [];
  }
  const children = whole ? many.amongAll : many.alone;
  const folders = data.real ? dataFolders() : [data.dataSet.folder];
  const rows: Row[] = [];
  for (const folder of folders) {
    for (const budget of budgets) rows.push(...(await measure(folder, budget, children, temporary)));
  }
  return rows;
}

async function measure(folder: string, budget: number, children: number, temporary: string): Promise<readonly Row[]> {
  const script = fileURLToPath(new URL('memory-run.js', import.meta.url));
  const out = join(await mkdtemp(join(temporary, 'memory-')), 'run');
  const words = [script, folder, out, String(budget), String(children)];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 2 ** 26 });
  const { patch, channels, measured } = resultSchema.parse(JSON.parse(stdout));
  const ratios = measured.map(({ predicted, measured }) => predicted / measured);
  const size = `${budget / gibibyte} GiB`;
  const peak = Math.max(...measured.map(({ measured }) => measured));
  say(
    `memory: ${basename(folder)}, ${size}: patches up to ${patch.join(' x ')}, ${channels.join(' ')} channels; predicted / measured ` +
      `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}, median ${median(ratios).toFixed(2)}; at most ${(peak / 2 ** 20).toFixed(0)} MiB`,
  );
  const close = ratios.filter((ratio) => Math.abs(ratio - 1) <= tolerance).length / ratios.length;
  const scans = `patches up to ${patch.join('x')}`;
  return [
    ratioRow(
      `memory of ${children} random children predicted within 15 %, ${size}, ${scans}`,
      'the resident size',
      close,
      { atLeast: 0.95 },
    ),
    ratioRow(`largest memory of ${children} random children, ${size}, ${scans}`, 'the budget', peak / budget, {
      atMost: 1,
    }),
  ];
}
