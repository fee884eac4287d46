import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDataSet } from '../../src/data/dataset.ts';
import { reportSchema } from '../../src/run/report.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { ronasmis } from './command.ts';
import { copyCases, realDataSetsBySize } from './few-cases.ts';
import { agreementWithCopy } from './resampled-copy.ts';

const [realDataSet] = await realDataSetsBySize();
if (realDataSet === undefined) {
  console.warn('Skipping the search on real scans: RONASMIS_TEST_DATA names no folder with data sets.');
}
const root = await temporaryFolder();

it.skipIf(realDataSet === undefined)(
  'a search on ten real cases ends with a report, and its network says the same of a scan at another spacing',
  async () => {
    const dataSet = join(root, 'few');
    await copyCases(realDataSet, dataSet, 10);
    const { cases } = await readDataSet(realDataSet);

    const run = join(root, 'run');
    const searched = await ronasmis('search', dataSet, '--out', run, '--epochs', '2', '--children', '1');
    expect(searched.code, searched.stderr).toBe(0);
    const { test_dice } = reportSchema.parse(JSON.parse(await readFile(join(run, 'report.json'), 'utf8')));
    expect(Object.keys(test_dice.cases)).toHaveLength(2);
    expect(test_dice.mean).toBeGreaterThan(0);

    const tested = cases.find(({ name }) => name in test_dice.cases);
    const agreement = await agreementWithCopy(run, tested?.images[0] ?? '', root);
    for (const dice of agreement) expect(dice).toBeGreaterThanOrEqual(0.97);
  },
  300_000,
);
