import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readDataSet } from '../../src/data/dataset.ts';
import { realDataSets } from '../formats/scans.ts';

/** The real data sets, that of the smallest scans first: every child passes through whole volumes. None where there are none. */
export async function realDataSetsBySize(): Promise<readonly string[]> {
  const sizes = await Promise.all(
    realDataSets.map(async (folder) => {
      const [{ images }] = (await readDataSet(folder)).cases;
      return { folder, bytes: (await stat(images[0])).size };
    }),
  );
  return sizes.toSorted((a, b) => a.bytes - b.bytes).map(({ folder }) => folder);
}

/** Copies the first cases of a data set in the layout of the Medical Segmentation Decathlon. */
export async function copyCases(dataSet: string, folder: string, count: number): Promise<void> {
  const cases = (await readDataSet(dataSet)).cases.slice(0, count);
  for (const sub of ['imagesTr', 'labelsTr']) await mkdir(join(folder, sub), { recursive: true });
  const training = cases.map(({ images: [image], label }) => ({
    image: join('imagesTr', basename(image)),
    label: join('labelsTr', basename(label)),
  }));
  for (const [i, { images, label }] of cases.entries()) {
    await copyFile(images[0], join(folder, training[i].image));
    await copyFile(label, join(folder, training[i].label));
  }
  const description = JSON.parse(await readFile(join(dataSet, 'dataset.json'), 'utf8'));
  await writeFile(join(folder, 'dataset.json'), JSON.stringify({ ...description, training }));
}
