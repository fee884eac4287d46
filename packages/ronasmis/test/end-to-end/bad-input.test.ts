import { writeFileSync } from 'node:fs';
import { access, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { search } from '../../src/search/search.ts';
import { run as ronasmis } from '../cli/run.ts';
import { boxCase, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const root = await temporaryFolder();
const sound = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => boxCase(name, createRandom(i + 1), [16, 16, 16]));
const dataSetOf = async (cases: readonly TestCase[]) => writeDataSet(await mkdtemp(join(root, 'data-')), cases);

it('a search says every problem of its data set at once, each in its line', async () => {
  const folder = await dataSetOf(
    sound.map((entry) =>
      entry.name === 'c' ? { ...entry, label: { ...entry.label, data: new Uint8Array(16 ** 3).fill(9) } } : entry,
    ),
  );
  await truncate(join(folder, 'imagesTr', 'a.nii.gz'), 1000);
  const out = join(root, 'refused');
  const { code, stdout, stderr } = await ronasmis('search', folder, '--out', out, '--epochs', '1', '--folds', '3');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/error: .*a\.nii\.gz: .*\.\n.*c\.nii\.gz: it holds label values .*: 9\..*\n$/);
  await expect(access(out)).rejects.toThrow();
});

it('a search that is refused leaves no folder that was not there, and one that was', async () => {
  const folder = await dataSetOf(sound);
  await rm(join(folder, 'labelsTr', 'c.nii.gz'));
  const [here, made] = [await mkdtemp(join(root, 'out-')), await mkdtemp(join(root, 'out-'))];
  const outs = [here, join(made, 'runs', 'first')];
  for (const out of outs) expect((await ronasmis('search', folder, '--out', out, '--folds', '3')).code).toBe(2);
  expect([await readdir(here), await readdir(made)]).toEqual([[], []]);
});

it('a search that is refused leaves what another program has put there meanwhile', async () => {
  const folder = await dataSetOf(sound);
  const runs = join(await mkdtemp(join(root, 'out-')), 'runs');
  const options = { dataSet: folder, out: join(runs, 'first'), memoryBytes: 1, folds: 3, device: 'cpu' } as const;
  const other = () => void writeFileSync(join(runs, 'note'), '');
  await expect(search(options, { onProgress: other })).rejects.toThrow(/too small/);
  expect(await readdir(runs)).toEqual(['note']);
});

it('a problem is said in JSON to who asked for it', async () => {
  const folder = await dataSetOf(sound);
  await rm(join(folder, 'labelsTr', 'c.nii.gz'));
  const { code, stdout } = await ronasmis('search', folder, '--out', join(root, 'json'), '--json');
  expect(code).toBe(2);
  expect(JSON.parse(stdout).error).toMatch(/labelsTr.c\.nii\.gz: listed as a label/);
});

it('a run whose data set has changed goes on when the change is undone', async () => {
  const dataSet = await dataSetOf(sound);
  const run = join(root, 'stopped');
  const stop = new AbortController();
  const options = { dataSet, out: run, children: 1, epochs: 1, folds: 3, device: 'cpu', precision: 'fp32' } as const;
  const hooks = {
    signal: stop.signal,
    onProgress: ({ phase }: { phase: string }) => phase === 'train' && stop.abort(),
  };
  await expect(search(options, hooks)).rejects.toMatchObject({ name: 'AbortError' });
  const changed = join(dataSet, 'imagesTr', 'c.nii.gz');
  const original = await readFile(changed);
  await writeFile(changed, await readFile(join(dataSet, 'imagesTr', 'd.nii.gz')));
  const refused = await ronasmis('resume', run);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(/data-\w+ has changed since .*stopped was begun: undo the change/);
  await writeFile(changed, original);
  expect((await ronasmis('resume', run, '--json')).code).toBe(0);
});
