import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createRandom } from '../../src/base/random.ts';
import { splitCases } from '../../src/data/folds.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { predict } from '../../src/inference/predict.ts';
import type { Progress } from '../../src/run/progress.ts';
import { readRun } from '../../src/run/read-run.ts';
import { resume } from '../../src/search/resume.ts';
import { type SearchHooks, search } from '../../src/search/search.ts';
import { boxCase, straight, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { outcome } from './outcome.ts';

const root = await temporaryFolder();
const options = {
  dataSet: join(root, 'Wide'),
  children: 2,
  epochs: 4,
  controller: 'reinforce',
  seed: 2,
  folds: 3,
  device: 'cpu',
  precision: 'fp32',
} as const;

const names = ['a', 'b', 'c', 'd', 'e', 'f'];
/** A test case of another spacing than the others. */
const finer = splitCases(names, { folds: 3, fold: 0 }).test[0];

beforeAll(async () => {
  const random = createRandom(1);
  // Thick slices of wide scans.
  const cases = names.map((name) => {
    const { image, label } = boxCase(name, random, [130, 133, 3]);
    const affine = name === finer ? straight(0.8, 0.8, 5) : straight(1, 1, 5);
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

  it('is predicted by as it was reported, on a grid that is another than the network’s too', async () => {
    const { report, architecture } = await readRun(join(root, 'unbroken'));
    expect(architecture).toHaveProperty('coarse');
    const names = Object.keys(report?.test_dice.cases ?? {});
    expect(names).toContain(finer);
    const inputs = names.map((name) => join(options.dataSet, 'imagesTr', `${name}.nii.gz`));
    const out = join(root, 'predicted');
    await predict({ run: join(root, 'unbroken'), inputs, out, precision: 'fp32' });
    const { dice } = await evaluate(out, join(options.dataSet, 'labelsTr'));
    expect(dice).toEqual(report?.test_dice);
  });

  it('weighs both networks as the validation cases have it best', async () => {
    const { report, architecture } = await readRun(join(root, 'unbroken'));
    const names = Object.keys(report?.validation_dice.cases ?? {});
    const inputs = names.map((name) => join(options.dataSet, 'imagesTr', `${name}.nii.gz`));
    const joined = z.looseObject({ coarse: z.looseObject({ fine_share: z.number() }) }).parse(architecture);
    const found = new Map<number, number>();
    for (const share of [0.5, 0.25]) {
      const [run, out] = [`share-${share}`, `predicted-${share}`].map((name) => join(root, name));
      await cp(join(root, 'unbroken'), run, { recursive: true });
      const other = { ...joined, coarse: { ...joined.coarse, fine_share: share } };
      await writeFile(join(run, 'architecture.json'), JSON.stringify(other));
      await predict({ run, inputs, out, precision: 'fp32' });
      found.set(share, (await evaluate(out, join(options.dataSet, 'labelsTr'))).dice.mean ?? 0);
    }
    const best = Math.max(...found.values());
    // The first of equals, as they may be after so few steps.
    expect(joined.coarse.fine_share).toBe([...found].find(([, dice]) => dice === best)?.[0]);
    expect(report?.validation_dice.mean).toBe(best);
  });

  it('is what another search starts from, without its coarse part', async () => {
    const said: string[] = [];
    const hooks: SearchHooks = { onStart: ({ warnings }) => said.push(...warnings) };
    await search({ ...options, epochs: 1, from: join(root, 'unbroken'), out: join(root, 'from') }, hooks);
    const { run } = await readRun(join(root, 'from'));
    expect(run.taken_over?.taken).toBeGreaterThan(50);
    expect(run.taken_over?.adapted).toBe(0);
    expect(said.filter((sentence) => sentence.includes('coarse') || sentence.includes('no use'))).toEqual([]);
  });

  it('is not where too few steps would follow', async () => {
    const folder = join(root, 'short');
    await search({ ...options, epochs: 3, out: folder });
    expect((await readRun(folder)).events.map(({ coarse }) => coarse)).toEqual([false, false, false]);
  });
});
