import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createRandom } from '../../src/base/random.ts';
import { boxCase, straight, type TestCase, temporaryFolder, writeDataSet, writeStated } from '../formats/scans.ts';
import { writeTinyRun } from '../inference/tiny-run.ts';

/** Makes a bad input in an empty folder; gives the words of the command behind the verb. */
export type Build = (folder: string) => Promise<readonly string[]>;
/** Bad inputs by what is wrong with them. */
export type Inputs = Readonly<Record<string, Build>>;

const root = await temporaryFolder();
export const sound = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => boxCase(name, createRandom(i + 1), [16, 16, 16]));
const soundDataSet = await writeDataSet(join(root, 'sound'), sound);
await mkdir(join(root, 'run'));
const soundRun = await writeTinyRun(join(root, 'run'));

/** Case 'c' of the sound data set, which is the one that is spoiled. */
export const soundCase = sound[2];
export const image = (dataSet: string): string => join(dataSet, 'imagesTr', 'c.nii.gz');
export const label = (dataSet: string): string => join(dataSet, 'labelsTr', 'c.nii.gz');
export const description = (dataSet: string): string => join(dataSet, 'dataset.json');
/** The files of the sound case as stored. */
export const storedImage = await readFile(image(soundDataSet));
export const storedLabel = await readFile(label(soundDataSet));

/** A data set that is sound until `spoil` has been at it. */
export const dataSet =
  (spoil: (dataSet: string) => unknown): Build =>
  async (folder) => {
    const copy = join(folder, 'data');
    await cp(soundDataSet, copy, { recursive: true });
    await spoil(copy);
    return [copy];
  };

/** A data set with these bytes as the image of a case. */
export const withImage = (bytes: Uint8Array): Build => dataSet((copy) => writeFile(image(copy), bytes));

/** A data set with an image whose unpacked bytes were changed; the header is one of NIfTI-1, little-endian. */
export function withBytes(edit: (bytes: Buffer) => Buffer | unknown): Build {
  const bytes = gunzipSync(storedImage);
  const edited = edit(bytes);
  return withImage(gzipSync(edited instanceof Buffer ? edited : bytes));
}

/** A data set in which a case is another one. */
export const withCase = (change: (soundCase: TestCase) => Partial<TestCase>): Build =>
  dataSet(async (copy) => {
    const changed = { ...soundCase, ...change(soundCase) };
    await writeStated(image(copy), { affine: straight(), ...changed.image });
    await writeStated(label(copy), { affine: straight(), ...changed.label });
  });

/** A data set whose `dataset.json` has other entries; undefined removes one. */
export const described = (overrides: Readonly<Record<string, unknown>>): Build =>
  dataSet((copy) => writeDataSet(copy, [], { training: soundTraining, ...overrides }));

export const soundTraining = sound.map(({ name }) => entryOf(name));
export function entryOf(name: string): { readonly image: string; readonly label: string } {
  return { image: `imagesTr/${name}.nii.gz`, label: `labelsTr/${name}.nii.gz` };
}

/** The run folder of a finished search that is sound until `spoil` has been at it, and a scan that it could segment. */
export const runAndScan =
  (spoil: (run: string, scan: string) => unknown): Build =>
  async (folder) => {
    const [run, scan] = [join(folder, 'run'), join(folder, 'scan.nii.gz')];
    await cp(soundRun, run, { recursive: true });
    await writeFile(scan, storedImage);
    await spoil(run, scan);
    return [run, scan];
  };

/** The run folder alone. */
export const runFolder = (spoil: (run: string) => unknown): Build => {
  const build = runAndScan(spoil);
  return async (folder) => (await build(folder)).slice(0, 1);
};

/** A folder of predictions and one of their labels. */
export const labelMaps =
  (spoil: (predictions: string, labels: string) => unknown): Build =>
  async (folder) => {
    const folders = ['predictions', 'labels'].map((name) => join(folder, name));
    for (const made of folders) {
      await mkdir(made);
      await writeFile(join(made, 'c.nii.gz'), storedLabel);
    }
    await spoil(folders[0], folders[1]);
    return folders;
  };
