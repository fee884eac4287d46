import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeEngine } from '@ronasmis/libtorch';
import { plural } from 'ronasmis/internal';
import { type Bench, say } from './bench.ts';
import { browser } from './browser.ts';
import { call } from './call.ts';
import { findData } from './data.ts';
import { files } from './files.ts';
import { kernels } from './kernels.ts';
import { memory } from './memory.ts';
import { metrics } from './metrics.ts';
import { findPython } from './peer.ts';
import { predict } from './predict.ts';
import { ranks } from './ranks.ts';
import { type Row, rowTable } from './row.ts';
import { scaling } from './scaling.ts';
import { search } from './search.ts';
import { space } from './space.ts';
import { step } from './step.ts';
import { waiting } from './waiting.ts';
import { watching } from './watching.ts';

/** What can be measured; a whole run does it in this order. `predict` uses what `search` has found. */
const topics: Readonly<Record<string, (bench: Bench) => Promise<readonly Row[]>>> = {
  step,
  kernels,
  space,
  search,
  predict,
  metrics,
  files,
  scaling,
  memory,
  waiting,
  ranks,
  call,
};

/** What takes so long that it is measured only where it is named. */
const alone: typeof topics = { watching, browser };

async function main(words: readonly string[]): Promise<number> {
  const names = words.filter((word) => word !== '--json');
  const all = { ...topics, ...alone };
  const unknown = names.find((name) => !(name in all));
  if (unknown !== undefined) {
    say(
      `There is no benchmark '${unknown}': name some of ${Object.keys(all).join(', ')}, or none for all but ${Object.keys(alone).join(' and ')}; --json prints JSON.`,
    );
    return 2;
  }
  const temporary = await mkdtemp(join(tmpdir(), 'ronasmis-bench-'));
  try {
    const python = findPython();
    if (!python) say('RONASMIS_PEERS names no Python: only what needs none is measured.');
    const bench: Bench = { python, data: await findData(temporary), whole: names.length === 0, temporary };
    const rows: Row[] = [];
    let failed = false;
    for (const [name, measure] of Object.entries(all)) {
      if (names.length > 0 ? !names.includes(name) : name in alone) continue;
      const started = performance.now();
      try {
        rows.push(...(await measure(bench)));
      } catch (error) {
        // The other rows are still worth having.
        failed = true;
        say(`${name}: failed: ${error instanceof Error ? error.stack : error}`);
      }
      say(`${name}: ended after ${((performance.now() - started) / 1000).toFixed(0)} s`);
    }
    if (words.includes('--json')) console.log(JSON.stringify({ rows }, null, 2));
    else console.log(`${machine()}\n\n${rows.length > 0 ? rowTable(rows) : 'Nothing was measured.'}`);
    return failed ? 1 : 0;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function machine(): string {
  const { version, cpu } = describeEngine();
  const cores = plural(availableParallelism(), 'core');
  const units = cpu.bf16 === 'none' ? 'no bfloat16 units' : cpu.bf16;
  return `${cpu.name}, ${cores}, ${plural(cpu.threads, 'thread')}, ${cpu.capability}, ${units}; libtorch ${version}, Node ${process.versions.node}`;
}

process.exitCode = await main(process.argv.slice(2));
