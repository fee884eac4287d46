import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { maskedZScore, zScore } from '../../src/data/normalisation.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { exportOnnx } from '../../src/export/export.ts';
import { predict } from '../../src/inference/predict.ts';
import type { Progress } from '../../src/run/progress.ts';
import { readRun } from '../../src/run/read-run.ts';
import { nnunet } from '../../src/systems/nnunet/nnunet.ts';
import type { System } from '../../src/systems/system.ts';
import { unetResnet } from '../../src/systems/unet-resnet/unet-resnet.ts';
import { run } from '../cli/run.ts';
import { ballCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { toldIn } from '../report/content.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Balls');
const options = { dataSet, folds: 3, fold: 1, seed: 4, device: 'cpu', precision: 'fp32' } as const;

beforeAll(async () => {
  const random = createRandom(1);
  const cases = ['a', 'b', 'c', 'd', 'e'].map((name) => ballCase(name, random));
  const description = { modality: { 0: 'T1', 1: 'T2' }, labels: { 0: 'background', 1: 'ball' } };
  // Its voxels are larger: it is resampled.
  await writeDataSet(dataSet, [...cases, ballCase('f', random, 1.5)], description);
});

/** Trains until this training step of an epoch is done. */
async function trainUntil(
  system: System,
  out: string,
  at: { readonly step: number; readonly done: number },
): Promise<void> {
  const stop = new AbortController();
  const onProgress = ({ phase, step, done }: Progress): void => {
    if (phase === 'train' && step === at.step && done === at.done) stop.abort();
  };
  const stopped = system.train({ ...options, epochs: 2, out }, { signal: stop.signal, onProgress });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
}

/** Has an epoch of a run that was stopped be of 2 steps: its 250 would take minutes. */
async function shorten(out: string): Promise<void> {
  const file = join(out, 'run.json');
  const record = JSON.parse(await readFile(file, 'utf8'));
  expect(record.recipe.training.steps_per_epoch).toBe(250);
  record.recipe.training.steps_per_epoch = 2;
  await writeFile(file, JSON.stringify(record));
}

describe.each([nnunet, unetResnet])('$name', (system) => {
  const out = join(root, system.name);

  it('goes on where it was stopped, on all but the test fold, and repeats nothing', async () => {
    await trainUntil(system, out, { step: 1, done: 1 });
    await shorten(out);
    await trainUntil(system, out, { step: 2, done: 1 });
    expect((await readRun(out)).events.map(({ step }) => step)).toEqual([1]);
    await system.train({ ...options, epochs: 2, out }, {});
    const { run: record, report, events, architecture } = await readRun(out);
    expect(record.settings).toMatchObject({ system: system.name, folds: 3, fold: 1, seed: 4, epochs: 2 });
    expect(record.settings.only_child).toEqual(architecture);
    expect(record.normalisation).toEqual(Array(2).fill(system === nnunet ? maskedZScore : zScore));
    expect(events.map(({ step, steps, children }) => [step, steps, children])).toEqual([
      [1, 2, []],
      [2, 4, []],
    ]);
    // It chooses nothing by cases of its own, and whoever compares segments those of the test.
    const none = { mean: null, classes: {}, cases: {} };
    expect(report).toMatchObject({ validation_dice: none, test_dice: none });
    await system.train({ ...options, epochs: 2, out }, {});
    expect((await readRun(out)).report).toEqual(report);
  }, 120_000);

  it('leaves a run folder that predict and export take, and show and the page tell whose it is', async () => {
    const inputs = ['a', 'f'].map((name) => join(dataSet, 'imagesTr', `${name}.nii.gz`));
    const labels = join(root, `${system.name} labels`);
    await predict({ run: out, inputs, out: labels, device: 'cpu', precision: 'fp32' });
    const { dice } = await evaluate(labels, join(dataSet, 'labelsTr'), { toleranceMillimetres: 1 });
    expect(Object.keys(dice.cases)).toEqual(['a', 'f']);
    const { check } = await exportOnnx({ run: out, out: join(root, `${system.name}.onnx`) });
    expect(check).toMatchObject({ kind: 'agrees' });
    const { code, stdout } = await run('show', out);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^Training {2}\\(${system.name}, one network, 2 steps, 4 training steps\\)$`, 'm'),
    );
    expect(stdout).not.toContain('Test Dice');
    expect(stdout).not.toContain('Validation');
    const told = toldIn(await readFile(join(out, 'report.html'), 'utf8'));
    expect(told.lead).toContain(` by ${system.name} · without a search · fold 1 of 3`);
    expect(told.notes.steps).toContain('A step is an epoch of 2 training steps');
    expect(told).toMatchObject({ tested: null, cases: [], examples: [], gain: null });
    expect(told.tiles.map(({ name }) => name)).not.toContain('Validation Dice');
  }, 60_000);

  it.each([
    [
      'memory',
      { memoryBytes: 400 * 2 ** 20 },
      /^400 MiB of memory .* this network takes about .* Give at least --memory \d+MiB\.$/,
    ],
    [
      'time',
      { timeSeconds: 0.05 },
      /^--time 0s is too short: with this data set, the shortest training and the report take about \d+ s .* Give at least --time \d+s, better several times that\.$/,
    ],
  ])(
    'refuses too little %s in a sentence that says what would do, and leaves nothing',
    async (what, budget, sentence) => {
      const refused = join(root, `${system.name} ${what}`);
      await expect(system.train({ ...options, ...budget, out: refused }, {})).rejects.toThrow(sentence);
      expect(existsSync(refused)).toBe(false);
    },
    60_000,
  );
});
