import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Architecture } from '../../src/architecture/architecture.ts';
import { createRandom } from '../../src/base/random.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { type Prediction, predict } from '../../src/inference/predict.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { defaultRecipe, type Recipe } from '../../src/recipe/recipe.ts';
import { readRun } from '../../src/run/read-run.ts';
import { trainArchitecture } from '../../src/search/train-architecture.ts';
import { boxCase, straight, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { tinyContext } from './tiny-context.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Boxes');
const architecture: Architecture = { ...tinyContext.space.base, patch: { depth: 12, height: 16, width: 16 } };

/** Scans of more slices than the patch has, of fewer, and of slices so thick that they are resampled. */
function scans(): readonly TestCase[] {
  const random = createRandom(1);
  return ['a', 'b', 'thick c', 'd', 'e', 'thick f'].map((name, i) => {
    const [depth, z] = [
      [16, 1],
      [9, 1],
      [5, 4],
    ][i % 3];
    const { image, label } = boxCase(name, random, [16, 16, depth]);
    const affine = straight(1, 1, z);
    return { name, image: { ...image, affine }, label: { ...label, affine } };
  });
}

const ways: Readonly<Record<string, readonly [Recipe['inference'], Prediction['tile']]>> = {
  "go by mirrored windows and bring logits to the scan's own grid": [nnunetRecipe.inference, [12, 16, 16]],
  'look again at what was found in scans that are larger than the patch': [defaultRecipe.inference, null],
};

beforeAll(() => writeDataSet(dataSet, scans()));

it.each(Object.entries(ways))(
  "a run's test Dice is that of its predictions where both %s",
  async (_, [inference, passed]) => {
    const recipe = { ...defaultRecipe, inference };
    const run = await mkdtemp(join(root, 'run-'));
    const out = join(run, 'predictions');
    const options = { dataSet, out: run, epochs: 1, folds: 3, device: 'cpu', precision: 'fp32', recipe } as const;
    const { report } = await trainArchitecture(architecture, options);
    const names = Object.keys(report.test_dice.cases);
    const inputs = names.map((name) => join(dataSet, 'imagesTr', `${name}.nii.gz`));
    const segmented = (folder: string) => predict({ run, inputs, out: folder, device: 'cpu', precision: 'fp32' });
    expect((await segmented(out)).map(({ tile }) => tile)).toEqual(names.map(() => passed));
    const { dice } = await evaluate(out, join(dataSet, 'labelsTr'), { toleranceMillimetres: 1 });
    expect(dice).toEqual(report.test_dice);
    expect(names.some((name) => name.startsWith('thick'))).toBe(true);
    expect((await readRun(run)).run.recipe.inference).toEqual(inference);
  },
);
