import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';

/** The labels of `boxCase`. */
const labels = { 0: 'background', 1: 'box', 2: 'core' };

/** Writes the `dataset.json` of a folder, with the labels of `boxCase` unless it says others. */
export const describeAs = (folder: string, description: object): Promise<void> =>
  writeFile(join(folder, 'dataset.json'), JSON.stringify({ labels, ...description }));

/** The cases by name, their files without the folder, and what is said of the data set. */
export async function readDescribed(folder: string) {
  const dataSet = await readDataSet(folder);
  const short = (path: string) => path.slice(folder.length + 1);
  const { problems } = await checkDataSet(dataSet, { folds: 3 });
  return {
    cases: dataSet.cases.map(({ name, images, label }) => [name, ...images.map(short), short(label)]),
    channelFiles: dataSet.channelFiles,
    problems: problems.map(({ message }) => message.replaceAll(`${folder}/`, '')),
  };
}
