import type { FileHandle } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { TooManyFiles } from '../../src/base/files.ts';
import { createRandom } from '../../src/base/random.ts';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { isDicomSeries } from '../../src/formats/scan-files.ts';
import { prepareDataSet } from '../../src/preparation/prepare.ts';
import { boxCase, straight, temporaryFolder, writeDataSet } from '../formats/scans.ts';

/** A system that lets so many files be open at once. */
const system = vi.hoisted(() => ({ most: Number.POSITIVE_INFINITY, open: 0 }));
vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const open = async (...given: Parameters<typeof real.open>): Promise<FileHandle> => {
    if (system.open >= system.most) throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    system.open += 1;
    const handle = await real.open(...given);
    const close = handle.close.bind(handle);
    handle.close = async () => {
      system.open -= 1;
      await close();
    };
    return handle;
  };
  return { ...real, open };
});

const folder = await temporaryFolder();
const names = Array.from({ length: 40 }, (_, i) => `case${String(i).padStart(2, '0')}`);
// The first ones lie otherwise than most.
const cases = names.map((name, i) => {
  const { image, label } = boxCase(name, createRandom(i));
  const affine = i < 15 ? straight() : straight(-1, -1, 1);
  return { name, image: { ...image, affine }, label: { ...label, affine } };
});
await writeDataSet(folder, cases);
const dataSet = await readDataSet(folder);

test('a data set of more scans than files may be open at once is read as any other', async () => {
  system.most = 8;
  const { fingerprint } = await checkDataSet(dataSet, { folds: 3 });
  expect(fingerprint?.orientation).toBe('LPS');
  const prepared = await prepareDataSet(dataSet, { folds: 3, cacheFolder: folder });
  expect(prepared.cases).toHaveLength(40);
});

test('where no file can be opened for too many are, that is said, and no file is blamed', async () => {
  system.most = 0;
  const sentence = /: too many files are open at once\. Raise the limit that ulimit -n states\.$/;
  await expect(checkDataSet(dataSet, { folds: 3 })).rejects.toThrow(sentence);
  await expect(checkDataSet(dataSet, { folds: 3 })).rejects.toBeInstanceOf(TooManyFiles);
  await expect(prepareDataSet(dataSet, { folds: 3, cacheFolder: folder })).rejects.toThrow(sentence);
  await expect(isDicomSeries(import.meta.dirname)).rejects.toThrow(sentence);
});
