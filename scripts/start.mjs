// `npm start`: a search on a small synthetic data set, into runs/quickstart.
// `npm start -- VERB ...`: the same as `npx ronasmis VERB ...`.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/files.mjs';

const dataSet = join('runs', 'quickstart-data');
const run = join('runs', 'quickstart');

/** Runs the command line in `cwd` and ends this program with its exit code unless that is 0. */
function ronasmis(args, cwd) {
  const program = join(root, 'packages/ronasmis/bin/ronasmis.mjs');
  const { status } = spawnSync(process.execPath, [program, ...args], { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

async function quickstart() {
  const { writePhantomDataSet } = await import('ronasmis');
  process.chdir(root);
  if (existsSync(run)) console.log(`Replacing the earlier ${run}.`);
  for (const folder of [run, dataSet]) rmSync(folder, { recursive: true, force: true });
  console.log(`Writing a synthetic data set of 40 cases into ${dataSet}, then searching on it for three minutes.`);
  await writePhantomDataSet(dataSet, { cases: 40, seed: 1 });
  ronasmis(['search', dataSet, '--out', run, '--time', '3m'], root);
  console.log(`\nThe report is ${join(run, 'report.html')}. On your own data: npm start -- search DATASET --out RUN`);
}

const args = process.argv.slice(2);
process.on('SIGINT', () => {}); // the search stops cleanly by itself; this program waits for it
if (args.length > 0) ronasmis(args, process.env.INIT_CWD ?? process.cwd());
else await quickstart();
