import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRandom } from '../src/base/random.ts';
import * as ronasmis from '../src/index.ts';
import { boxCase, temporaryFolder, writeDataSet } from './formats/scans.ts';

const root = await temporaryFolder();

it('searches, predicts and evaluates as a library', async () => {
  const cases = ['a', 'b', 'c', 'd'].map((name, i) => boxCase(name, createRandom(i), [16, 16, 16]));
  const dataSet = await writeDataSet(join(root, 'Boxes'), cases);
  const [run, out] = [join(root, 'run'), join(root, 'out')];
  const phases = new Set<string>();
  const { report, architecture } = await ronasmis.search(
    {
      dataSet,
      out: run,
      epochs: 1,
      children: 1,
      controller: 'reinforce',
      space: 'macro',
      augment: 'off',
      folds: 2,
      fold: 0,
      device: 'cpu',
      precision: 'fp32',
      seed: 1,
    },
    { onProgress: ({ phase }) => phases.add(phase) },
  );
  expect([...phases]).toEqual(['prepare', 'train', 'evaluate', 'final']);
  expect((await ronasmis.loadModel(run, 'cpu')).architecture).toEqual(architecture);

  const inputs = Object.keys(report.test_dice.cases).map((name) => join(dataSet, 'imagesTr', `${name}.nii.gz`));
  expect(inputs).toHaveLength(2);
  await ronasmis.predict({ run, inputs, out, device: 'cpu', precision: 'fp32' });
  const { dice } = await ronasmis.evaluate(out, join(dataSet, 'labelsTr'), { toleranceMillimetres: 1 });
  expect(dice).toEqual(report.test_dice);

  expect(await ronasmis.resume(run)).toEqual({ report, architecture });
  await expect(ronasmis.resume(out)).rejects.toBeInstanceOf(ronasmis.UserError);
});
