import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { paperRecipe } from '../../../src/recipe/paper.ts';
import { defaultRecipe } from '../../../src/recipe/recipe.ts';
import { readRun } from '../../../src/run/read-run.ts';
import { ronasmis, ronasmisPaper } from '../../../src/systems/ronasmis/ronasmis.ts';
import type { System } from '../../../src/systems/system.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../../formats/scans.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Boxes');
await writeDataSet(
  dataSet,
  ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => boxCase(name, createRandom(i), [16, 16, 16])),
);
const options = { dataSet, folds: 3, fold: 1, epochs: 1, seed: 4, device: 'cpu', precision: 'fp32' } as const;

/** Trains until the first training step. */
async function trainUntilStopped(system: System, out: string): Promise<void> {
  const controller = new AbortController();
  const stopped = system.train(
    { ...options, out },
    { signal: controller.signal, onProgress: ({ phase }) => phase === 'train' && controller.abort() },
  );
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
}

it('ronasmis searches on the split that it is told, goes on where it was stopped, and repeats nothing', async () => {
  const out = join(root, 'ronasmis');
  await trainUntilStopped(ronasmis, out);
  await ronasmis.train({ ...options, out }, {});
  const { run, report } = await readRun(out);
  expect(run.settings).toMatchObject({ folds: 3, fold: 1, seed: 4, epochs: 1 });
  expect(run.recipe).toEqual(defaultRecipe);
  expect(report?.test_dice.cases).toEqual({});
  await ronasmis.train({ ...options, out }, {});
  expect((await readRun(out)).report).toEqual(report);
}, 120_000);

it('ronasmis-paper searches by the published recipe', async () => {
  const out = join(root, 'ronasmis-paper');
  await trainUntilStopped(ronasmisPaper, out);
  expect((await readRun(out)).run.recipe).toEqual(paperRecipe);
}, 60_000);
