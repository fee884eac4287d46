import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { writePhantomDataSet } from '../../../src/data/phantom.ts';
import { readFinishedRun } from '../../../src/inference/model.ts';
import type { Progress } from '../../../src/run/progress.ts';
import { readRun } from '../../../src/run/read-run.ts';
import { resume } from '../../../src/search/resume.ts';
import { nnunetFolders } from '../../../src/systems/nnunet-python/folders.ts';
import { readNnunetRun } from '../../../src/systems/nnunet-python/record.ts';
import { train } from '../../../src/systems/nnunet-python/train.ts';
import { temporaryFolder } from '../../formats/scans.ts';
import { standIn } from './stand-in.ts';

const folder = await temporaryFolder();
const dataSet = join(folder, 'phantom');
await writePhantomDataSet(dataSet, { cases: 6, seed: 1 });
const channels = ['T1', 'T2'];
const python = await standIn(folder, join(dataSet, 'labelsTr'), { channels });
const options = {
  dataSet,
  folds: 3,
  fold: 0,
  device: 'cpu',
  precision: 'auto',
  seed: 1,
  timeSeconds: 90,
  python,
} as const;

const readJson = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

it('nnU-Net is given all cases but the test set to learn from', async () => {
  const out = join(folder, 'given');
  const dying = await standIn(folder, join(dataSet, 'labelsTr'), { dies: true, channels });
  await expect(train({ ...options, out, python: dying }, {})).rejects.toThrow();
  const folders = nnunetFolders(out);
  const { begun } = await readNnunetRun(out);
  const test = begun?.given.test.map(({ name }) => name) ?? [];
  const training = ['1', '2', '3', '4', '5', '6'].map((n) => `phantom_00${n}`).filter((name) => !test.includes(name));
  expect(test).toHaveLength(2);
  expect((await readdir(folders.labels)).sort()).toEqual(training.map((name) => `${name}.nii.gz`));
  const files = (names: readonly string[]) => names.flatMap((name) => [`${name}_0000.nii.gz`, `${name}_0001.nii.gz`]);
  expect((await readdir(folders.images)).sort()).toEqual(files(training));
  expect((await readdir(folders.testImages)).sort()).toEqual(files(test));
  const [{ train: learnt, val }] = (await readJson(folders.splits)) as [{ train: string[]; val: string[] }];
  expect(learnt).toEqual(training);
  expect(training).toContain(val[0]);
  expect(await readJson(folders.datasetJson)).toMatchObject({
    numTraining: 4,
    labels: { background: 0, '1 shell': 1 },
  });
});

it('what nnU-Net leaves is a finished run, whose test cases are segmented behind its training', async () => {
  const out = join(folder, 'run');
  const told: Progress[] = [];
  const warnings: string[] = [];
  const engines: unknown[] = [];
  await train(
    { ...options, out },
    {
      onProgress: (progress) => told.push(progress),
      onWarning: (sentence) => warnings.push(sentence),
      onStart: ({ engine }) => engines.push(engine),
    },
  );

  const { begun, finished } = await readNnunetRun(out);
  const test = begun?.given.test.map(({ name }) => name) ?? [];
  // The data set is not there once more.
  expect((await readdir(nnunetFolders(out).root)).sort()).toEqual(
    ['driver.py', 'given.json', 'job.json', 'log.txt', 'predictions', 'state.json', 'training.json'].sort(),
  );

  const { run, report, architecture, events } = await readRun(out);
  expect((await readdir(nnunetFolders(out).predictions)).sort()).toEqual(test.map((name) => `${name}.nii.gz`));
  expect(finished?.training).toMatchObject({
    iterations: 21,
    iterations_per_epoch: 3,
    epochs: 7,
    prediction_seconds: 4,
  });
  expect(report).toMatchObject({ seconds: 60, parameters: 5, peak_memory_bytes: 1000, evaluation_seconds: 0 });
  expect(architecture).toMatchObject({ kind: 'unet', features: [32, 64, 128, 256], batch: 2 });
  expect(run).toMatchObject({
    settings: { system: 'nnunet-python', only_child: architecture, time_seconds: 90, fold: 0 },
    recipe: { inference: { window: 'patch', mirroring: true }, training: { optimiser: 'sgd' } },
    network: { input_channels: 2, classes: 4 },
    // Of nnU-Net's plan, not of the data set.
    spacing: [2, 1, 1],
    normalisation: [{ kind: 'z_score' }, { kind: 'z_score' }],
  });
  expect(run.not_run_here).toBeUndefined();
  expect(events.map(({ step, steps, loss, reward_mean }) => [step, steps, loss, reward_mean])).toEqual([
    [1, 3, 0.5, null],
    [2, 6, 0.25, null],
  ]);

  expect(new Set(told.map(({ phase }) => phase))).toEqual(new Set(['prepare', 'train', 'final']));
  expect(told.find(({ phase }) => phase === 'train')).toMatchObject({ step: 1, done: 1, total: 3, loss: 0.5 });
  expect(warnings).toEqual([expect.stringMatching(/it trains about 7 epochs of 3/)]);
  expect(engines).toEqual([expect.objectContaining({ device: 'cpu', precision: 'fp32', libtorch: '2.15.0 (Python)' })]);
});

it('a finished run is not repeated', async () => {
  const told: Progress[] = [];
  await train({ ...options, out: join(folder, 'run') }, { onProgress: (progress) => told.push(progress) });
  expect(told).toEqual([]);
});

it('a run that has ended halfway goes on with the time that it has left, and without preparing the data again', async () => {
  const out = join(folder, 'halfway');
  const dying = await standIn(folder, join(dataSet, 'labelsTr'), { dies: true, channels });
  await expect(train({ ...options, out, python: dying }, {})).rejects.toThrow(/nnU-Net's process failed/);
  const { run, report: none } = await readRun(out);
  expect(none).toBeUndefined();
  const told: Progress[] = [];
  await train({ ...options, out, python: dying }, { onProgress: (progress) => told.push(progress) });
  expect(told.filter(({ phase }) => phase === 'prepare')).toEqual([]);
  const after = await readRun(out);
  expect(after.report).toBeDefined();
  expect(after.run).toEqual(run);
  // The second epoch, which no checkpoint had, is repeated.
  expect(after.events.map(({ step }) => step)).toEqual([1, 2]);
  const job = (await readJson(nnunetFolders(out).job)) as { seconds_used: number };
  expect(job.seconds_used).toBeGreaterThan(10);
});

it('resume does not take over what a comparison trains, and predict waits for its end', async () => {
  const out = join(folder, 'halfway-resumed');
  const dying = await standIn(folder, join(dataSet, 'labelsTr'), { dies: true, channels });
  await expect(train({ ...options, out, python: dying }, {})).rejects.toThrow();
  await expect(resume(out)).rejects.toThrow(
    /is trained by nnunet-python, a system of a comparison: go on by the same 'ronasmis compare' again\./,
  );
  await expect(readFinishedRun(out)).rejects.toThrow(/has not finished\. Go on with it by the same 'ronasmis compare'/);
});

it('a run folder of another fold, and a device that nnU-Net is not compared on, are refused', async () => {
  const out = join(folder, 'halfway-refused');
  const dying = await standIn(folder, join(dataSet, 'labelsTr'), { dies: true, channels });
  await expect(train({ ...options, out, python: dying }, {})).rejects.toThrow();
  await expect(train({ ...options, out, fold: 1 }, {})).rejects.toThrow(/holds a run with another fold \(0, not 1\)/);
  await expect(train({ ...options, out, device: 'mps' }, {})).rejects.toThrow(/--device mps/);
});

it('what is wrong with the data set is said before anything is begun', async () => {
  const missing = join(folder, 'nowhere');
  await expect(train({ ...options, dataSet: missing, out: join(folder, 'x') }, {})).rejects.toThrow(
    new RegExp(`${basename(missing)}: there is no such folder`),
  );
});
