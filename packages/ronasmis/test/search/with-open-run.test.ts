import { join } from 'node:path';
import { isOutOfMemory, limitTensorBytes } from '@ronasmis/libtorch';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import type { Batches } from '../../src/batches/batches.ts';
import { search } from '../../src/search/search.ts';
import { boxCase, straight, temporaryFolder, writeDataSet } from '../formats/scans.ts';

/** How many threads that make batches were started and ended. */
const threads = vi.hoisted(() => ({ opened: 0, closed: 0 }));
vi.mock('../../src/batches/batches.ts', async (original) => {
  const { openBatches } = await original<typeof import('../../src/batches/batches.ts')>();
  return {
    openBatches: (...given: Parameters<typeof openBatches>): Batches => {
      threads.opened += 1;
      const batches = openBatches(...given);
      return {
        ...batches,
        close: () => {
          threads.closed += 1;
          return batches.close();
        },
      };
    },
  };
});

const root = await temporaryFolder();
const options = {
  children: 2,
  controller: 'reinforce',
  epochs: 4,
  folds: 3,
  device: 'cpu',
  precision: 'fp32',
} as const;

async function dataSetOf(name: string, size: readonly number[], affine = straight()): Promise<string> {
  const random = createRandom(1);
  const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => {
    const { image, label } = boxCase(name, random, size, 2);
    return { name, image: { ...image, affine }, label: { ...label, affine } };
  });
  return writeDataSet(join(root, name), cases, { modality: { 0: 'one', 1: 'two' } });
}

beforeEach(() => Object.assign(threads, { opened: 0, closed: 0 }));
afterEach(() => limitTensorBytes(Number.POSITIVE_INFINITY));

describe.skipIf(process.platform !== 'linux')(
  'a search whose validation cases do not fit on the device any more',
  () => {
    /** Nothing that is larger than 64 KiB can be made from now on. */
    const takeMemory = (): void => limitTensorBytes(1);

    it('at its beginning ends with that error, and with its thread', async () => {
      const dataSet = await dataSetOf('boxes', [32, 32, 16]);
      const searching = search({ ...options, dataSet, out: join(root, 'beginning') }, { onStart: takeMemory });
      const error: unknown = await searching.catch((caught: unknown) => caught);
      expect(isOutOfMemory(error)).toBe(true);
      expect(threads).toEqual({ opened: 1, closed: 1 });
    });

    it('after its coarse part ends with that error, and what it had is freed once', async () => {
      const dataSet = await dataSetOf('wide', [130, 133, 3], straight(1, 1, 5));
      const searching = search(
        { ...options, dataSet, out: join(root, 'middle') },
        {
          onProgress: ({ phase, step }) => {
            if (phase === 'evaluate' && step === 2) takeMemory();
          },
        },
      );
      const error: unknown = await searching.catch((caught: unknown) => caught);
      expect(isOutOfMemory(error)).toBe(true);
      expect(threads).toEqual({ opened: 1, closed: 1 });
    });
  },
);
