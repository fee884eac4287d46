import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writePhantomDataSet } from '../../src/index.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { startScript } from './command.ts';

const root = await temporaryFolder();
const example = fileURLToPath(new URL('../../../../examples/search.mjs', import.meta.url));

describe('the example of the library', () => {
  it('searches, segments and scores', async () => {
    const dataSet = join(root, 'Phantoms');
    await writePhantomDataSet(dataSet, { cases: 6, seed: 2 });
    const [run, scans, labels] = [join(root, 'run'), join(dataSet, 'imagesTr'), join(dataSet, 'labelsTr')];
    const { code, stdout, stderr } = await startScript(example, dataSet, run, scans, labels, '20').ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Searching on \w+ in \w+$/m);
    expect(stdout).toMatch(/^Test Dice 0\.\d{3}, training patch \d+ x \d+ x \d+$/m);
    expect(stdout).toMatch(/^Dice of these 0\.\d{3}$/m);
    expect(await readdir(join(run, 'predictions'))).toHaveLength(6);
  }, 90_000);

  it('says in a sentence what the user can mend', async () => {
    const { code, stderr } = await startScript(example, join(root, 'nowhere'), join(root, 'other'), '', '').ended;
    expect([code, stderr]).toEqual([2, expect.stringMatching(/nowhere: there is no such folder\. Give the folder/)]);
  });
});
