import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { checkDataSet } from '../../../src/data/check.ts';
import { readDataSet } from '../../../src/data/dataset.ts';
import { zScore } from '../../../src/data/normalisation.ts';
import { runSchema } from '../../../src/run/run-record.ts';
import { readPlan } from '../../../src/systems/nnunet-python/plan.ts';
import { runJson } from '../../../src/systems/nnunet-python/run-json.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../../formats/scans.ts';
import { plansOf } from './stand-in.ts';

const folder = await temporaryFolder();
const cases = ['a', 'b', 'c'].map((name) => boxCase(name, createRandom(1)));
const dataSet = await readDataSet(await writeDataSet(join(folder, 'boxes'), cases));
const { fingerprint } = await checkDataSet(dataSet, { folds: 3 });
if (fingerprint === undefined) throw new Error('The boxes have no fingerprint.');
await writeFile(join(folder, 'plans.json'), JSON.stringify(plansOf(dataSet.channels)));
const plan = await readPlan(join(folder, 'plans.json'));
const options = { dataSet: 'boxes', out: 'x', folds: 3, fold: 0, device: 'cpu', precision: 'auto', seed: 1 } as const;
const engine = { libtorch: '2.15.0 (Python)', device: 'cpu', precision: 'fp32', threads: 2, cpu: '' } as const;
const begun = { options: { ...options, timeSeconds: 60, python: 'python3' }, dataSet, fingerprint, plan, engine };

it('a run is described as any other, by the plan that its network was trained by', () => {
  const run = runJson(begun);
  expect(runSchema.parse(JSON.parse(JSON.stringify(run)))).toEqual(run);
  expect(run).toMatchObject({
    settings: { system: 'nnunet-python', own_program: true, time_seconds: 60, only_child: plan.architecture },
    recipe: { training: { batch_dice: plan.batchDice } },
    network: { channels: plan.architecture.features, input_channels: 1, classes: 3 },
    spacing: plan.spacing,
    normalisation: [zScore],
  });
  // nnU-Net turns no scan.
  expect(run.orientation).toBeUndefined();
  expect(run.not_run_here).toBeUndefined();
});

it('a network that can not be run here says why: one of regions, or of another normalisation', () => {
  const regions = [{ name: 'all', values: [1, 2] }];
  expect(runJson({ ...begun, dataSet: { ...dataSet, regions } }).not_run_here).toMatch(/trained it on regions/);
  const masked = { ...plan, normalisations: [undefined] };
  expect(runJson({ ...begun, plan: masked }).not_run_here).toMatch(
    /normalises channel '.*' in a way that is not known here/,
  );
});
