import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fromSource } from '../../../../test/from-source.ts';
import { createRandom } from '../../src/base/random.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { writeTinyRun } from '../inference/tiny-run.ts';
import { startScript } from './command.ts';

const root = await temporaryFolder();

/** Prints `scan` and `libtorch` when each is first asked for, and then segments. */
const program = (run: string, scan: string, out: string) => `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const asked = new Set();
  const dlopen = process.dlopen;
  process.dlopen = (...args) => { asked.add('libtorch'); return dlopen(...args); };
  for (const [folder, name] of [[fs, 'readFileSync'], [fs.promises, 'readFile']]) {
    const read = folder[name];
    folder[name] = (file, ...options) => { if (String(file).endsWith('a.nii.gz')) asked.add('scan'); return read(file, ...options); };
  }
  syncBuiltinESMExports();
  const { predict } = await import(${JSON.stringify(new URL('../../src/inference/predict.ts', import.meta.url).href)});
  const [{ output }] = await predict(${JSON.stringify({ run, inputs: [scan], out, device: 'cpu', precision: 'fp32' })});
  console.log(JSON.stringify({ asked: [...asked], isWritten: fs.existsSync(output) }));`;

it('the first scan is read before libtorch is needed, which another thread loads meanwhile', async () => {
  const run = join(root, 'run');
  await mkdir(run);
  await writeTinyRun(run);
  const dataSet = await writeDataSet(join(root, 'data'), [boxCase('a', createRandom(1), [16, 16, 16])]);
  const script = join(root, 'program.mjs');
  await writeFile(script, program(run, join(dataSet, 'imagesTr', 'a.nii.gz'), join(root, 'out')));
  const { stdout, stderr } = await startScript(...fromSource, script).ended;
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({ asked: ['scan', 'libtorch'], isWritten: true });
});
