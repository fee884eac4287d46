import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { paperRecipe } from '../../../src/recipe/paper.ts';
import { defaultRecipe } from '../../../src/recipe/recipe.ts';
import { readRun } from '../../../src/run/read-run.ts';
import { ronasmis, ronasmisPaper } from '../../../src/systems/ronasmis/ronasmis.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../../formats/scans.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Boxes');
await writeDataSet(
  dataSet,
  ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => boxCase(name, createRandom(i), [16, 16, 16])),
);
const options = { dataSet, folds: 3, fold: 1, epochs: 1, seed: 4, device: 'cpu', precision: 'fp32' } as const;

it.each([
  [ronasmis, defaultRecipe],
  [ronasmisPaper, paperRecipe],
])(
  '$name searches by its recipe on the split that it is told, goes on where it was stopped, and repeats nothing',
  async (system, recipe) => {
    const out = join(root, system.name);
    const controller = new AbortController();
    const stopped = system.train(
      { ...options, out },
      { signal: controller.signal, onProgress: ({ phase }) => phase === 'train' && controller.abort() },
    );
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    await system.train({ ...options, out }, {});
    const { run, report } = await readRun(out);
    expect(run.settings).toMatchObject({ folds: 3, fold: 1, seed: 4, epochs: 1 });
    expect(run.recipe).toEqual(recipe);
    expect(Object.keys(report?.test_dice.cases ?? {})).toHaveLength(2);
    await system.train({ ...options, out }, {});
    expect((await readRun(out)).report).toEqual(report);
  },
  120_000,
);
