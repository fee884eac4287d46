import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { memory } from '@ronasmis/libtorch';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { recipeSchema } from '../../src/recipe/recipe.ts';
import { raceNote } from '../../src/report/run-words.ts';
import type { Progress } from '../../src/run/progress.ts';
import { readRun } from '../../src/run/read-run.ts';
import { resume } from '../../src/search/resume.ts';
import { search } from '../../src/search/search.ts';
import { boxCase, straight, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { outcome } from './outcome.ts';

const root = await temporaryFolder();
const recipe = recipeSchema.parse({ network: { thick_slice: null } });
const options = {
  dataSet: join(root, 'Thick'),
  children: 2,
  epochs: 4,
  controller: 'reinforce',
  seed: 1,
  folds: 3,
  device: 'cpu',
  precision: 'fp32',
  recipe,
} as const;

beforeAll(async () => {
  const random = createRandom(1);
  // Boxes that end somewhere else in every slice, which says nothing of the next one.
  const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => {
    const { image, label } = boxCase(name, random, [34, 33, 8]);
    const affine = straight(1, 1, 8);
    return { name, image: { ...image, affine }, label: { ...label, affine } };
  });
  await writeDataSet(options.dataSet, cases);
});

describe('a search that no rule tells what to do about thick slices', () => {
  it('goes on with the network whose training loss was lowest, and says so', async () => {
    const told: Progress['phase'][] = [];
    const out = join(root, 'unbroken');
    await search({ ...options, out }, { onProgress: ({ phase }) => void (told.at(-1) !== phase && told.push(phase)) });
    const { run, events } = await readRun(out);
    const race = run.race ?? [];
    expect(race.map(({ flat_levels }) => flat_levels)).toEqual([0, 5]);
    const lowest = Math.min(...race.map(({ loss }) => loss));
    expect(race.find(({ loss }) => loss === lowest)?.flat_levels).toBe(run.network.flat_levels);
    expect(told.slice(0, 3)).toEqual(['prepare', 'race', 'train']);
    expect(raceNote(run)).toMatch(
      /^That kernels are [13]x3x3 was found by a race: .* \(\d\.\d{3} by 3x3x3, \d\.\d{3} by 1x3x3\)\.$/,
    );
    // What the winner has learnt goes on: three epochs of two cases in each step, and what the race had.
    const [steps] = events.map(({ steps }) => steps);
    expect(steps).toBeGreaterThan(3 * (6 - 2 - 1));
  });

  it('goes on where it was stopped, with what the race had found and trained', async () => {
    for (const stopsIn of [1, 3]) {
      const out = join(root, `stopped-${stopsIn}`);
      const stop = new AbortController();
      const onProgress = ({ phase, step }: Progress) => {
        if (phase === 'train' && step === stopsIn) stop.abort();
      };
      await expect(search({ ...options, out }, { signal: stop.signal, onProgress })).rejects.toMatchObject({
        name: 'AbortError',
      });
      await resume(out);
      expect(await outcome(out)).toEqual(await outcome(join(root, 'unbroken')));
    }
  });

  it('leaves nothing behind where it is stopped in the race, and frees who has lost', async () => {
    const out = join(root, 'stopped-early');
    const stop = new AbortController();
    const onProgress = ({ phase, done }: Progress) => {
      if (phase === 'race' && done === 1) stop.abort();
    };
    const before = memory().tensors;
    await expect(search({ ...options, out }, { signal: stop.signal, onProgress })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(memory().tensors - before).toBeLessThan(1);
    await expect(readRun(out)).rejects.toThrow();
    await rm(out, { recursive: true, force: true });
  });

  it('does not race where a rule decides, where nothing is searched, or where the recipe has none', async () => {
    const races = async (changes: Partial<Parameters<typeof search>[0]>): Promise<boolean> => {
      const out = join(root, `other-${JSON.stringify(changes).length}`);
      await search({ ...options, epochs: 1, out, ...changes });
      return (await readRun(out)).run.race !== undefined;
    };
    expect(await races({ recipe: recipeSchema.parse({}) })).toBe(false);
    expect(await races({ space: 'fixed' })).toBe(false);
    expect(await races({ recipe: { ...recipe, search: { ...recipe.search, race_share: 0 } } })).toBe(false);
  });
});
