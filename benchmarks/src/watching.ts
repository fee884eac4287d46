import { join } from 'node:path';
import { readRun } from 'ronasmis/run';
import { type Bench, say } from './bench.ts';
import { chromiumPath, launchChromium } from './chromium.ts';
import { ronasmis, serving } from './command.ts';
import { takeTurns } from './rounds.ts';
import { type Row, timeRow } from './row.ts';

const rounds = 3;
const epochs = 5;
const browsers = 2;

/** What a search's training steps take with the live page in two browsers, and without: the same search, in turns. */
export async function watching({ data, temporary }: Bench): Promise<readonly Row[]> {
  if (chromiumPath === undefined) {
    say('Left out: the live page, for there is no Chromium (RONASMIS_TEST_CHROMIUM).');
    return [];
  }
  let runs = 0;
  const search = async (watch: (folder: string, work: Promise<unknown>) => Promise<unknown>): Promise<number> => {
    runs += 1;
    const out = join(temporary, `watched-${runs}`);
    const settings = ['--fold', '0', '--seed', '1', '--epochs', String(epochs)];
    await watch(out, ronasmis('search', data.dataSet.folder, '--out', out, ...settings));
    return secondsPerStep(out);
  };
  const times = await takeTurns(
    rounds,
    () => search(watchIn),
    () => search((_, work) => work),
  );
  const what = `a training step of a search with the live page and ${browsers} browsers`;
  return [timeRow(what, 'without', times, { atMost: 1.01 })];
}

/** Shows a run on the live page, in so many browsers, until it ends. */
async function watchIn(folder: string, work: Promise<unknown>): Promise<void> {
  const server = await serving('dashboard', folder);
  const open = await Promise.all(Array.from({ length: browsers }, () => launchChromium()));
  try {
    for (const browser of open) await (await browser.newPage()).goto(server.address);
    await work;
  } finally {
    await Promise.all(open.map((browser) => browser.close()));
    server.stop();
  }
}

/** From the first controller step to the last, evaluations included. */
async function secondsPerStep(folder: string): Promise<number> {
  const { events } = await readRun(folder);
  const [first, last] = [events[0], events[events.length - 1]];
  return (last.seconds - first.seconds) / (last.steps - first.steps);
}
