import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import type { Progress } from '../../src/run/progress.ts';
import { readRun } from '../../src/run/read-run.ts';
import { resume } from '../../src/search/resume.ts';
import { search } from '../../src/search/search.ts';
import { boxCase, straight, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { outcome } from './outcome.ts';

const root = await temporaryFolder();
const options = {
  dataSet: join(root, 'Wide'),
  children: 2,
  epochs: 4,
  folds: 3,
  device: 'cpu',
  precision: 'fp32',
} as const;

beforeAll(async () => {
  const random = createRandom(1);
  // Thick slices of wide scans.
  const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => {
    const { image, label } = boxCase(name, random, [130, 133, 3]);
    const affine = straight(1, 1, 5);
    return { name, image: { ...image, affine }, label: { ...label, affine } };
  });
  await writeDataSet(options.dataSet, cases);
});

describe('a search of wide scans', () => {
  it('is coarse in its first half, says so, and goes on where it was stopped, in either half', async () => {
    const told: (boolean | undefined)[] = [];
    const tell = ({ reward, coarse }: Progress) => void (reward !== undefined && told.push(coarse));
    await search({ ...options, out: join(root, 'unbroken') }, { onProgress: tell });
    const { run, events } = await readRun(join(root, 'unbroken'));
    expect(run.network.flat_levels).toBe(2);
    expect(events.map(({ coarse }) => coarse)).toEqual([true, true, false, false]);
    expect(told).toEqual([true, true, false, false]);
    const { architecture, report } = await readRun(join(root, 'unbroken'));
    expect(architecture).toMatchObject({ coarse: { downsampling: [1, 2, 2], network: { space: 'macro' } } });
    expect(report?.gain?.differences.at(0)).toMatchObject({ what: 'what half the resolution had come to, beside it' });

    for (const step of [2, 4]) {
      const folder = join(root, `stopped-${step}`);
      const stop = new AbortController();
      const hooks = {
        signal: stop.signal,
        onProgress: (progress: Progress) => {
          if (progress.phase === 'evaluate' && progress.step === step) stop.abort();
        },
      };
      await expect(search({ ...options, out: folder }, hooks)).rejects.toMatchObject({ name: 'AbortError' });
      await resume(folder);
      expect(await outcome(folder)).toEqual(await outcome(join(root, 'unbroken')));
    }
  });

  it('is not where too few steps would follow', async () => {
    const folder = join(root, 'short');
    await search({ ...options, epochs: 3, out: folder });
    expect((await readRun(folder)).events.map(({ coarse }) => coarse)).toEqual([false, false, false]);
  });
});
