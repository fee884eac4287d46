import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { fromSource } from '../../../../test/from-source.ts';
import { startScript } from '../end-to-end/command.ts';
import { macroChild, narrowModel, writeFinishedRun } from '../export/models.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { run, writeRunFolder } from './run.ts';

const root = await temporaryFolder();
const finished = await writeFinishedRun(root, narrowModel(macroChild));

it('writes the network, with folders that are missing, and says how far ONNX Runtime agrees', async () => {
  const out = join(root, 'new', 'folder', 'model.onnx');
  const { code, stdout, stderr } = await run('export', finished, '--out', out, '--format', 'onnx');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n')[0]).toMatch(`${out}  `);
  expect(stdout).toMatch(
    /^Checked by ONNX Runtime on 33 x 37 x 35 voxels: logits of up to [\d.]+ differ by \S+ at most, and (99\.9|100)\S* % of the labels are equal\.$/m,
  );
  expect(await readdir(join(root, 'new', 'folder'))).toEqual(['model.onnx']);
  const { length } = await readFile(out);
  expect(JSON.parse((await run('export', finished, '--out', out, '--json')).stdout)).toMatchObject({
    output: out,
    bytes: length,
    check: { kind: 'agrees', shape: [1, 2, 33, 37, 35] },
  });
});

it('replaces the file that it has written, and none to which something was added', async () => {
  const out = join(root, 'again.onnx');
  for (const _ of [1, 2]) expect((await run('export', finished, '--out', out)).code).toBe(0);
  // A field that ONNX does not know: the network is the same.
  const changed = Buffer.concat([await readFile(out), Buffer.from([0xf8, 0x07, 1])]);
  await writeFile(out, changed);
  expect(await run('export', finished, '--out', out)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('again.onnx: a file of this name is there'),
  });
  expect((await readFile(out)).equals(changed)).toBe(true);
  expect((await run('export', finished, '--out', out, '--overwrite')).code).toBe(0);
});

it('writes a page with the network, which knows nothing of the data set, and replaces its own work alone', async () => {
  const out = join(root, 'page');
  const { code, stdout, stderr } = await run('export', finished, '--format', 'web', '--out', out);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: `Open it by 'ronasmis serve ${out}', or put the folder on any file server.\n`,
  });
  expect(stdout).toMatch(/^\S+\/page {2}\d+ MiB\nChecked by ONNX Runtime on /);
  expect((await readdir(out)).sort()).toEqual(['assets', 'index.html', 'model.json', 'model.onnx']);
  expect((await readdir(join(out, 'assets'))).filter((name) => name.endsWith('.wasm'))).not.toEqual([]);
  const known = await readFile(join(out, 'model.json'), 'utf8');
  expect(Object.keys(JSON.parse(known))).toEqual(['key', 'architecture', 'run', 'cleaned']);
  for (const word of ['settings', 'data_set', 'fingerprint', 'created']) expect(known).not.toContain(word);
  expect((await run('export', finished, '--format', 'web', '--out', out)).code).toBe(0);
  await writeFile(join(out, 'index.html'), 'by hand');
  expect(await run('export', finished, '--format', 'web', '--out', out)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('index.html: a file of this name is there'),
  });
  expect(await run('serve', finished)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/is no folder of a page that segments, for it has no index\.html: name the folder/),
  });
});

it('leaves nothing but the network behind: no cache, no number of the device, no report of its use', async () => {
  const fresh = join(root, 'fresh');
  const variables = ['HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME'];
  const places = variables.map((name) => [name, join(fresh, name)] as const);
  const cwd = join(fresh, 'cwd');
  for (const folder of [cwd, ...places.map(([, folder]) => folder)]) await mkdir(folder, { recursive: true });
  const program = fileURLToPath(new URL('../../bin/ronasmis.mjs', import.meta.url));
  const env = { PATH: process.env.PATH, OMP_NUM_THREADS: '1', ...Object.fromEntries(places) };
  const args = [program, 'export', finished, '--out', join(root, 'alone.onnx')];
  expect(execFileSync(process.execPath, args, { cwd, env, encoding: 'utf8' })).toContain('Checked by ONNX Runtime');
  expect((await readdir(fresh)).sort()).toEqual([...variables, 'cwd'].sort());
  for (const folder of await readdir(fresh)) expect(await readdir(join(fresh, folder))).toEqual([]);
});

it('loads ONNX Runtime in a worker thread only where the process itself keeps it from reporting', async () => {
  const home = join(root, 'worker-home');
  await mkdir(home);
  const check = new URL('../../src/export/check.ts', import.meta.url).href;
  const work = `import('${check}').then(({ loadRuntime }) => loadRuntime()).then(() => 'loaded', (error) => error.message).then(console.log)`;
  const program = `new (require('node:worker_threads').Worker)(new URL(${JSON.stringify(`data:text/javascript,${encodeURIComponent(work)}`)}))`;
  const said = (env: NodeJS.ProcessEnv): string =>
    execFileSync(process.execPath, [...fromSource, '-e', program], {
      env: { PATH: process.env.PATH, HOME: home, ...env },
      encoding: 'utf8',
    });
  const refused = 'it would report its use from a worker thread; set ORT_DISABLE_TELEMETRY=1 for the process\n';
  expect(said({})).toBe(refused);
  expect(said({ ORT_DISABLE_TELEMETRY: '0' })).toBe(refused);
  expect(said({ ORT_DISABLE_TELEMETRY: '1' })).toBe('loaded\n');
  expect(await readdir(home)).toEqual([]);
});

it('says so where the network was not checked, for onnxruntime-node is not installed', async () => {
  const out = join(root, 'unchecked.onnx');
  const { code, stdout } = await startScript(
    new URL('../export/without-runtime.mjs', import.meta.url).pathname,
    'export',
    finished,
    '--out',
    out,
  ).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Not checked against this program's own prediction: onnxruntime-node is not installed\.$/m);
  expect((await readFile(out)).length).toBeGreaterThan(0);
});

it('refuses what is no run, a search that has not finished, a folder as the file and an unknown format', async () => {
  const out = join(root, 'refused.onnx');
  const refuses = async (folder: string, file: string, sentence: RegExp) =>
    expect(await run('export', folder, '--out', file)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(sentence),
    });
  await refuses(join(root, 'nowhere'), out, /nowhere is no run folder/);
  const unfinished = join(root, 'unfinished');
  await writeRunFolder(unfinished, false);
  await refuses(unfinished, out, /has not finished\. Go on with it by 'ronasmis resume/);
  const folder = join(root, 'folder');
  await mkdir(folder);
  await refuses(finished, folder, /folder is a folder: give a file with --out, such as .*model\.onnx\.$/m);
  expect((await run('export', finished, '--out', out, '--format', 'tflite')).code).toBe(2);
  expect((await run('export', finished)).code).toBe(2);
  expect(await readdir(root)).not.toContain('refused.onnx');
});
