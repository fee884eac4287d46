import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writePhantomDataSet } from '../../src/index.ts';
import { readRun } from '../../src/run/read-run.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { startScript } from './command.ts';

const root = await temporaryFolder();
const example = fileURLToPath(new URL('../../../../examples/', import.meta.url));
const dataSet = join(root, 'Phantoms');
await writePhantomDataSet(dataSet, { cases: 6, seed: 2 });

describe('the example of the library', () => {
  it('searches, segments and scores', async () => {
    const [run, scans, labels] = [join(root, 'run'), join(dataSet, 'imagesTr'), join(dataSet, 'labelsTr')];
    const { code, stdout, stderr } = await startScript(join(example, 'search.mjs'), dataSet, run, scans, labels, '20')
      .ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Searching on \w+ in \w+$/m);
    expect(stdout).toMatch(/^Test Dice 0\.\d{3}, training patch \d+ x \d+ x \d+$/m);
    expect(stdout).toMatch(/^Dice of these 0\.\d{3}$/m);
    expect(await readdir(join(run, 'predictions'))).toHaveLength(6);
  }, 90_000);

  it('says in a sentence what the user can fix', async () => {
    const { code, stderr } = await startScript(
      join(example, 'search.mjs'),
      join(root, 'nowhere'),
      join(root, 'other'),
      '',
      '',
    ).ended;
    expect([code, stderr]).toEqual([2, expect.stringMatching(/nowhere: there is no such folder\. Give the folder/)]);
  });
});

describe('the examples of parts of your own', () => {
  it('search with a controller that is not ours, watched from another process from before it begins', async () => {
    const run = join(root, 'climbed');
    const watching = startScript(join(example, 'watch.mjs'), run).ended;
    const { code, stdout, stderr } = await startScript(join(example, 'my-controller.mjs'), dataSet, run, '2').ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Step 2: mean reward [01]\.\d{3}\nTest Dice [01]\.\d{3}$/m);
    const { run: record, events } = await readRun(run);
    expect(record.settings).toMatchObject({ controller: 'hillClimbing', space: 'macro' });
    const watched = await watching;
    expect(watched.code, watched.stderr).toBe(0);
    const lines = watched.stdout.split('\n');
    expect(lines[0]).toMatch(/^hillClimbing on \w+$/);
    expect(lines.filter((line) => line.startsWith('Step'))).toEqual(
      events.map(({ step, reward_mean, reward_max }) => {
        return `Step ${step}: mean reward ${reward_mean?.toFixed(3)}, best ${reward_max?.toFixed(3)}`;
      }),
    );
    expect(watched.stdout).toMatch(/^train, \d+ of \d+$/m);
    expect(watched.stdout).toMatch(/\nTest Dice [01]\.\d{3}\n$/);
  });

  it('search a space that is not ours', async () => {
    const run = join(root, 'undilated');
    const { code, stderr } = await startScript(join(example, 'my-space.mjs'), dataSet, run, '1').ended;
    expect(code, stderr).toBe(0);
    const { run: record, events } = await readRun(run);
    expect(record.settings).toMatchObject({ controller: 'reinforce', space: 'undilated' });
    const dilations = JSON.stringify(events).match(/"dilation":\d/g) ?? [];
    expect(new Set(dilations)).toEqual(new Set(['"dilation":1']));
  });
});
