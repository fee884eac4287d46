import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fromSource } from '../../../../../test/from-source.ts';
import { createRandom } from '../../../src/base/random.ts';
import { defaultRecipe, recipeSchema } from '../../../src/recipe/recipe.ts';
import type { HeadroomResults } from '../../../src/run/headroom-record.ts';
import { headroomSchema } from '../../../src/run/headroom-record.ts';
import { readRun } from '../../../src/run/read-run.ts';
import { type HeadroomOptions, headroom } from '../../../src/study/headroom/headroom.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../../formats/scans.ts';

const root = await temporaryFolder();
const options: HeadroomOptions = {
  dataSet: join(root, 'Boxes'),
  out: join(root, 'headroom'),
  seeds: 2,
  epochs: 1,
  folds: 3,
  fold: 0,
  device: 'cpu',
  precision: 'fp32',
  sideBySide: 1,
  // Patches of 16 voxels are pooled to one: there is no more depth to be pooled.
  names: ['elu', 'rate-3', 'pool-depth-more'],
};

beforeAll(async () => {
  const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => boxCase(name, createRandom(i), [16, 16, 16]));
  await writeDataSet(options.dataSet, cases);
});

const outcome = ({ base, variants }: HeadroomResults) => ({
  base: base.runs.map(({ run, test_dice }) => [run, test_dice]),
  variants: variants.map(({ name, gain, problem, runs }) => [name, gain, problem, runs.map(({ run }) => run)]),
});

describe('a study of the headroom', () => {
  let results: HeadroomResults;
  const places: string[] = [];

  beforeAll(async () => {
    results = await headroom(options, {
      onRun: ({ run, number, total }) => void places.push(`${number}/${total} ${run}`),
    });
  }, 120_000);

  it('trains the base first, then each change, and says what each is worth', () => {
    expect(places.slice(0, 2)).toEqual(['1/8 base-1', '2/8 base-2']);
    expect(places).toHaveLength(8);
    expect(results).toMatchObject({ seeds: 2, test_cases: 2 });
    expect(results.base.runs.map(({ run, seed }) => [run, seed])).toEqual([
      ['base-1', 1],
      ['base-2', 2],
    ]);
    for (const name of ['elu', 'rate-3']) {
      const found = results.variants.find((variant) => variant.name === name);
      expect(found).toMatchObject({ problem: null, runs: [{ seed: 1 }, { seed: 2 }] });
      const gains = found?.runs.map(({ test_dice }, at) => test_dice - results.base.runs[at].test_dice) ?? [];
      expect(found?.gain?.difference).toBeCloseTo((gains[0] + gains[1]) / 2, 12);
    }
  });

  it('trains what it says: the network of the change, or the base by the recipe of the change', async () => {
    const [changed, recipe, base] = await Promise.all(
      ['elu-1', 'rate-3-1', 'base-1'].map((name) => readRun(join(options.out, name))),
    );
    expect(changed.architecture).toMatchObject({ encoder: [{ activation: 'elu' }, {}, {}, {}, {}] });
    expect(changed.run.recipe).toEqual(base.run.recipe);
    expect(recipe.architecture).toEqual(base.architecture);
    expect(recipe.run.recipe.training.learning_rate).toBeCloseTo(3 * base.run.recipe.training.learning_rate, 12);
  });

  it('records what can not be, behind the others', () => {
    expect(results.variants.at(-1)).toMatchObject({
      name: 'pool-depth-more',
      runs: [],
      gain: null,
      problem: expect.stringMatching(/^The base network of these scans can't have depth pooled once more/),
    });
  });

  it('writes its record and a page, and runs nothing again', async () => {
    const record = headroomSchema.parse(JSON.parse(await readFile(join(options.out, 'headroom.json'), 'utf8')));
    expect(record).toMatchObject({ settings: { epochs: 1, side_by_side: 1 }, results: { seeds: 2 } });
    const page = await readFile(join(options.out, 'headroom.html'), 'utf8');
    expect(page).toContain('What could a search gain? Boxes');
    expect(page).toContain('ELU at all levels');
    const again: string[] = [];
    const second = await headroom(options, { onRun: ({ run }) => void again.push(run) });
    expect(again.filter((name) => !name.startsWith('pool-depth-more'))).toEqual([]);
    expect(outcome(second)).toEqual(outcome(results));
  });

  it('is of the recipe that is given, which its folder keeps to', async () => {
    const out = join(root, 'of a recipe');
    const recipe = recipeSchema.parse({ training: { learning_rate: 1e-3 }, search: { coarse_share: 0 } });
    const given = { ...options, out, recipe, seeds: 1, names: ['rate-3'] };
    await headroom(given);
    const [base, changed] = await Promise.all(['base-1', 'rate-3-1'].map((name) => readRun(join(out, name))));
    expect(base.run.recipe).toEqual(recipe);
    expect(changed.run.recipe.training.learning_rate).toBeCloseTo(3e-3, 12);
    expect(changed.run.recipe.search.coarse_share).toBe(0);
    await expect(headroom({ ...given, recipe: defaultRecipe })).rejects.toThrow(
      /recipe search\.coarse_share 0, training\.learning_rate 0\.001 instead of none/,
    );
  });

  it('is the same where runs go on side by side, each in a process of its own', { timeout: 120_000 }, async () => {
    process.execArgv = [...fromSource];
    const out = join(root, 'side-by-side');
    const beside = await headroom({ ...options, out, sideBySide: 2 });
    expect(outcome(beside)).toEqual(outcome(results));
  });
});

describe('runs side by side', () => {
  const before = process.execArgv;
  afterEach(() => {
    process.execArgv = before;
  });

  it('stop together, and go on from there', { timeout: 120_000 }, async () => {
    process.execArgv = [...fromSource];
    const out = join(root, 'stopped');
    const controller = new AbortController();
    const told = { ...options, out, epochs: 3, sideBySide: 2, names: ['elu'] };
    const stopped = headroom(told, {
      signal: controller.signal,
      onProgress: ({ phase }) => phase === 'train' && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(await readdir(out)).toContain('base-1');
    expect(existsSync(join(out, 'base-1', 'report.json'))).toBe(false);
    expect((await headroom(told)).variants[0].runs).toHaveLength(2);
  });
});

it('an unknown variant, or a broken data set, is said in a sentence before anything is trained', async () => {
  const out = join(root, 'refused');
  await expect(headroom({ ...options, out, names: ['relu', 'no-such'] })).rejects.toThrow(
    /There is no variant 'no-such': take some of dilation-2, /,
  );
  const dataSet = join(root, 'Missing');
  await rm(dataSet, { recursive: true, force: true });
  await expect(headroom({ ...options, dataSet, out })).rejects.toThrow(/Missing/);
  expect(existsSync(out)).toBe(false);
});
