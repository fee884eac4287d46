import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { readRun } from '../../src/run/read-run.ts';
import { search } from '../../src/search/search.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const root = await temporaryFolder();

test('a search over regions, with voxels to ignore, tells the Dice of the regions', async () => {
  const cases = Array.from({ length: 6 }, (_, i) => {
    const made = boxCase(`case${i}`, createRandom(i), [16, 16, 8]);
    // A corner of every label map is not annotated.
    made.label.data.fill(3, 0, 40);
    return made;
  });
  const labels = { background: 0, whole: [1, 2], core: 2, ignore: 3 };
  const dataSet = await writeDataSet(join(root, 'data'), cases, { labels });
  const out = join(root, 'run');
  const { report } = await search({ dataSet, out, epochs: 1, children: 2, folds: 3, device: 'cpu' });
  expect(Object.keys(report.test_dice.classes)).toEqual(['whole', 'core']);
  for (const dice of Object.values(report.test_dice.cases)) expect(Object.keys(dice)).toEqual(['whole', 'core']);
  const { run } = await readRun(out);
  expect(run.regions).toEqual([
    { name: 'whole', values: [1, 2] },
    { name: 'core', values: [2] },
  ]);
  expect(run.network.classes).toBe(3);
});
