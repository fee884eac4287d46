import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { nnunetRecipe } from '../../../src/recipe/nnunet.ts';
import { readRun } from '../../../src/run/read-run.ts';
import { nnunet, nnunetL, nnunetM } from '../../../src/systems/nnunet/nnunet.ts';
import type { System } from '../../../src/systems/system.ts';
import { ballCase, boxCase, temporaryFolder, writeDataSet } from '../../formats/scans.ts';

const root = await temporaryFolder();
const random = createRandom(1);
const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const [balls, boxes] = [join(root, 'Balls'), join(root, 'Boxes')];
const description = { modality: { 0: 'T1', 1: 'T2' }, labels: { 0: 'background', 1: 'ball' } };
await writeDataSet(
  balls,
  names.map((name) => ballCase(name, random)),
  description,
);
await writeDataSet(
  boxes,
  names.map((name) => boxCase(name, random, [16, 16, 16])),
);

/** The record of a run that is stopped once it has been written. */
async function begun(system: System, dataSet: string) {
  const out = join(root, `${system.name} ${dataSet === balls ? 'balls' : 'boxes'}`);
  const stop = new AbortController();
  const options = { dataSet, out, folds: 3, fold: 0, seed: 0, epochs: 1, device: 'cpu', precision: 'fp32' } as const;
  const stopped = system.train(options, { signal: stop.signal, onStart: () => stop.abort() });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  return (await readRun(out)).run;
}

// How it trains on and what it leaves is in train-planned.test.ts.
it.each([
  [nnunet, 'convolutions', [2, 2, 2]],
  [nnunetM, 'residual', [1, 3, 4]],
  [nnunetL, 'residual', [1, 3, 4]],
] as const)(
  '$name trains the network of its plan by its recipe',
  async (system, block, counts) => {
    const { recipe, settings } = await begun(system, balls);
    expect(settings).toMatchObject({ system: system.name, augment: 'on', only_child: { encoder: { block, counts } } });
    const { preparation, training, augmentation, inference } = nnunetRecipe;
    expect(recipe).toMatchObject({ preparation, training, inference });
    expect(recipe.augmentation).toEqual({ ...augmentation, outside_stays_zero: true });
    expect(system.traits.testTimeAugmentation).toBe(recipe.inference.mirroring);
  },
  60_000,
);

it('takes no mask where the crop leaves all of the scans', async () => {
  const { recipe, normalisation } = await begun(nnunet, boxes);
  expect(recipe.augmentation.outside_stays_zero).toBe(false);
  expect(normalisation).toEqual([{ kind: 'z_score' }]);
}, 60_000);
