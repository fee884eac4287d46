import { existsSync, readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataSet, readDataSet, splitCases, writePhantomDataSet } from 'ronasmis/data';

/** The scans that are measured with. */
export interface TestData {
  readonly dataSet: DataSet;
  /** Scans of patients, not synthetic ones. */
  readonly real: boolean;
}

const phantomCases = 40;

/** The data set of the smallest scans in the folder that RONASMIS_TEST_DATA names; without it a synthetic one. */
export async function findData(temporary: string): Promise<TestData> {
  const found = await Promise.all(dataFolders().map((folder) => readDataSet(folder)));
  const sizes = await Promise.all(found.map(async ({ cases: [{ images }] }) => (await stat(images[0])).size));
  const smallest = found[sizes.indexOf(Math.min(...sizes))];
  if (smallest) return { dataSet: smallest, real: true };
  const folder = join(temporary, 'phantom');
  await writePhantomDataSet(folder, { cases: phantomCases, seed: 1 });
  return { dataSet: await readDataSet(folder), real: false };
}

/** The data sets in the folder that RONASMIS_TEST_DATA names. */
export function dataFolders(): readonly string[] {
  const parent = process.env.RONASMIS_TEST_DATA;
  if (!parent) return [];
  return readdirSync(parent)
    .map((name) => join(parent, name))
    .filter((folder) => existsSync(join(folder, 'dataset.json')));
}

/** Cases of fold 0's test part, at most `most`. */
export function testCases({ dataSet }: TestData, most: number): DataSet['cases'] {
  const names = dataSet.cases.map(({ name }) => name);
  const test = new Set(splitCases(names, { folds: 5, fold: 0 }).test);
  return dataSet.cases.filter(({ name }) => test.has(name)).slice(0, most);
}
