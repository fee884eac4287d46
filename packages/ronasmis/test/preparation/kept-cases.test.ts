import { createHash } from 'node:crypto';
import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { type DataSet, readDataSet } from '../../src/data/dataset.ts';
import { prepareOnce } from '../../src/preparation/kept-cases.ts';
import { imageOf, labelOf, type PreparedDataSet, type PrepareOptions } from '../../src/preparation/prepare.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { boxCase, nrrdBytes, realDataSets, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const root = await temporaryFolder();
const folder = join(root, 'boxes');
const keptFolder = join(root, 'kept');
const cacheFolder = join(root, 'cache');
const random = createRandom(7);

beforeEach(async () => {
  for (const path of [folder, keptFolder, cacheFolder]) await rm(path, { recursive: true, force: true });
  await writeDataSet(
    folder,
    ['a', 'b', 'c'].map((name) => boxCase(name, random)),
  );
});

/** Prepares a data set, and keeps it as a search does that starts. */
async function prepareAndKeep(dataSet: DataSet, options: Partial<PrepareOptions> = {}): Promise<PreparedDataSet> {
  const { keep, ...prepared } = await prepareOnce(dataSet, { folds: 3, cacheFolder, keptFolder, ...options });
  await keep();
  return prepared;
}
const prepare = async (options: Partial<PrepareOptions> = {}): Promise<PreparedDataSet> =>
  prepareAndKeep(await readDataSet(folder), options);

const hashOf = (values: Float32Array | Uint8Array): string => createHash('sha256').update(values).digest('hex');

/** What makes two prepared data sets the same, wherever their arrays are. */
const contents = ({ cases, ...rest }: PreparedDataSet) => ({
  ...rest,
  cases: cases.map(({ storage, ...one }) => ({
    ...one,
    image: hashOf(imageOf({ storage, ...one })),
    label: hashOf(labelOf({ storage, ...one })),
  })),
});

const records = async (): Promise<string[]> =>
  (await readdir(keptFolder)).map((key) => join(keptFolder, key, 'prepared.json'));

/** Writes into every record what no preparation says: whoever says it has read the record. */
async function mark(): Promise<void> {
  for (const file of await records()) {
    const record = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...record, fingerprint: { ...record.fingerprint, name: 'kept' } }));
  }
}
const isKept = ({ fingerprint }: PreparedDataSet): boolean => fingerprint.name === 'kept';

test('what was prepared is taken again, in memory or on the disk, and is the same', async () => {
  const first = await prepare();
  const told: number[] = [];
  const onCase = (done: number, total: number) => told.push(done / total);
  const again = await prepare({ onCase });
  expect(contents(again)).toEqual(contents(first));
  expect(
    again.cases.every(({ storage }) => storage.kind === 'memory' && storage.image.buffer instanceof SharedArrayBuffer),
  ).toBe(true);
  expect(told.at(-1)).toBe(1);
  const onDisk = await prepare({ memoryLimitBytes: 1000 });
  expect(onDisk.cases.map(({ storage }) => storage.kind)).toEqual(['disk', 'disk', 'disk']);
  expect(contents(onDisk)).toEqual(contents(first));
  await mark();
  expect([isKept(first), isKept(await prepare()), isKept(await prepare({ memoryLimitBytes: 1000 }))]).toEqual([
    false,
    true,
    true,
  ]);
});

test('another file, setting, recipe of preparation or number of folds is prepared anew', async () => {
  await prepare();
  await mark();
  expect(isKept(await prepare({ folds: 2 }))).toBe(false);
  expect(isKept(await prepare({ recipe: nnunetRecipe.preparation }))).toBe(false);
  const description = join(folder, 'dataset.json');
  const text = await readFile(description, 'utf8');
  await writeFile(description, text.replace('"core"', '"heart"'));
  const renamed = await prepare();
  expect([isKept(renamed), renamed.fingerprint.labels[2].name]).toEqual([false, 'heart']);
  await writeFile(description, text);
  expect(isKept(await prepare())).toBe(true);

  // The same size and, as far as a program can set it, the same time.
  const label = join(folder, 'labelsTr', 'b.nii.gz');
  const before = await readFile(label);
  const past = new Date(2020, 1, 1);
  await utimes(label, past, past);
  await prepare();
  await mark();
  await writeFile(label, before);
  await utimes(label, past, past);
  expect(isKept(await prepare())).toBe(false);
});

test('what is damaged is prepared anew, and is whole then', async () => {
  const first = await prepare();
  await mark();
  const [key] = await readdir(keptFolder);
  const image = join(keptFolder, key, 'b.image.float32');
  const bytes = await readFile(image);
  await writeFile(
    image,
    bytes.map((byte, at) => (at === 100 ? byte ^ 1 : byte)),
  );
  expect(contents(await prepare())).toEqual(contents(first));
  await mark();
  await writeFile(join(keptFolder, key, 'prepared.json'), '{');
  expect(contents(await prepare())).toEqual(contents(first));
  await mark();
  expect(isKept(await prepare())).toBe(true);
});

test('a search on the disk keeps its files when what was kept is removed or made anew', async () => {
  const made = await prepare({ memoryLimitBytes: 1000 });
  const taken = await prepare({ cacheFolder: join(root, 'other'), memoryLimitBytes: 1000 });
  const before = contents(made);
  await rm(keptFolder, { recursive: true });
  expect([contents(made), contents(taken)]).toEqual([before, before]);
  // A file of a search is replaced, and not written into: another search may read it under another name.
  await prepare({ folds: 2, memoryLimitBytes: 1000 });
  expect(contents(taken)).toEqual(before);
});

test('what was not used for a week is removed, also what a killed search left', async () => {
  await prepare();
  const [file] = await records();
  const old = new Date(Date.now() - 8 * 86_400_000);
  await utimes(file, old, old);
  await prepare();
  await prepare({ folds: 2 });
  expect(await records()).toHaveLength(2);
  await utimes(file, old, old);
  const half = '0123456789abcdef.89abcdef';
  for (const name of [half, 'not ours']) {
    await writeFile(join(keptFolder, name), '');
    await utimes(join(keptFolder, name), old, old);
  }
  const third = { ...(await readDataSet(folder)), name: 'third' };
  await prepareAndKeep(third);
  expect(await records()).not.toContain(file);
  expect(await readdir(keptFolder)).not.toContain(half);
  expect(await readdir(keptFolder)).toContain('not ours');
  await rm(join(keptFolder, 'not ours'));
  expect(await records()).toHaveLength(2);
});

test('nothing is kept before it is asked for', async () => {
  await prepareOnce(await readDataSet(folder), { folds: 3, cacheFolder, keptFolder });
  await expect(readdir(keptFolder)).rejects.toThrow('ENOENT');
});

test('nothing is kept of what has headers that may name other files, and where nothing can be', async () => {
  const { image } = boxCase('d', random);
  await writeFile(join(folder, 'imagesTr', 'a.nrrd'), nrrdBytes(image));
  const text = await readFile(join(folder, 'dataset.json'), 'utf8');
  await writeFile(join(folder, 'dataset.json'), text.replace('imagesTr/a.nii.gz', 'imagesTr/a.nrrd'));
  expect((await prepare()).cases).toHaveLength(3);
  await expect(readdir(keptFolder)).rejects.toThrow('ENOENT');
  await writeFile(join(folder, 'dataset.json'), text);
  await writeFile(keptFolder, 'a file');
  expect((await prepare()).cases).toHaveLength(3);
});

test.skipIf(realDataSets.length === 0)('a real data set is the same when it is taken again', async () => {
  for (const real of realDataSets) {
    const dataSet = await readDataSet(real);
    const some = { ...dataSet, cases: dataSet.cases.slice(0, 6) };
    const [first, again] = [await prepareAndKeep(some, { folds: 2 }), await prepareAndKeep(some, { folds: 2 })];
    expect(contents(again)).toEqual(contents(first));
  }
});
