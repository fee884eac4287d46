import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors } from '@ronasmis/libtorch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { architectureSchema } from '../../src/architecture/architecture.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { splitCases } from '../../src/data/folds.ts';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import { readNifti } from '../../src/formats/nifti.ts';
import type { Prediction } from '../../src/inference/predict.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { eventSchema } from '../../src/run/event.ts';
import { readRun } from '../../src/run/read-run.ts';
import { reportSchema } from '../../src/run/report.ts';
import { dimensionsOf, runSchema } from '../../src/run/run-record.ts';
import { toldIn } from '../report/content.ts';
import { type Ended, ronasmis } from './command.ts';
import { agreementWithCopy, writeResampledCopy } from './resampled-copy.ts';

const root = await mkdtemp(join(tmpdir(), 'ronasmis-finished-'));
const dataSet = join(root, 'Phantom');
const run = join(root, 'run');
const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(run, name), 'utf8'));

let searched: Ended;
beforeAll(async () => {
  await writePhantomDataSet(dataSet, { cases: 8, seed: 3 });
  // One test case and one other are sampled more finely than most.
  const names = (await readDataSet(dataSet)).cases.map(({ name }) => name);
  const { test, training } = splitCases(names, { folds: 4, fold: 1 });
  for (const name of [test[0], training[0]]) {
    for (const [folder, kind] of [
      ['imagesTr', 'scan'],
      ['labelsTr', 'label'],
    ] as const) {
      const file = join(dataSet, folder, `${name}.nii.gz`);
      await writeResampledCopy(file, file, kind);
    }
  }
  // After four controller steps, 60 training steps, a network is still so far from sure of one class that resampling moves its outlines.
  searched = await ronasmis(
    ...`search ${dataSet} --out ${run} --folds 4 --fold 1 --epochs 6 --children 2 --controller reinforce`.split(' '),
  );
}, 120_000);
afterAll(() => rm(root, { recursive: true }));

describe('a search from the command line', () => {
  it('ends with its result on standard output and plain progress on standard error', () => {
    expect(searched.code, searched.stderr).toBe(0);
    expect(searched.stdout).toMatch(
      /^Test Dice +\d+\.\d\d % {2}\(shell .*anterior core .*posterior core .*\), 2 cases$/m,
    );
    expect(searched.stdout).toContain(join(run, 'report.html'));
    expect(searched.stderr).toMatch(/^Reading scans \(8\)$/m);
    expect(searched.stderr).toMatch(/^step 1: loss [\d.]+, reward 0\.\d+, entropy [\d.]+, best Dice [\d.]+ %/m);
    expect(searched.stderr).toMatch(/^step 6: loss /m);
    expect(searched.stderr).not.toMatch(/^step 7/m);
    expect(searched.stdout + searched.stderr).not.toContain('\u001b');
  });

  it('leaves the files of a run and nothing else', async () => {
    expect((await readdir(run)).sort()).toEqual([
      'architecture.json',
      'events.jsonl',
      'model.safetensors',
      'report.html',
      'report.json',
      'run.json',
    ]);
  });

  it('writes down its settings, engine and data', async () => {
    const record = runSchema.parse(await json('run.json'));
    expect(record.settings).toMatchObject({ data_set: dataSet, epochs: 6, time_seconds: null, children: 2 });
    expect(record.settings).toMatchObject({ folds: 4, fold: 1, seed: 1, device: 'auto', precision: 'auto' });
    expect(record.network).toMatchObject({ input_channels: 2, classes: 4 });
    expect(record.labels.map(({ name }) => name)).toEqual(['background', 'shell', 'anterior core', 'posterior core']);
    expect(record.fingerprint).toMatchObject({ cases: 8, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(Date.now() - Date.parse(record.created)).toBeLessThan(10 * 60_000);
  });

  it('writes an event for each controller step', async () => {
    const lines = (await readFile(join(run, 'events.jsonl'), 'utf8')).trimEnd().split('\n');
    const events = lines.map((line) => eventSchema.out.strict().parse(JSON.parse(line)));
    expect(events.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    // Six cases are outside the test part and one of them evaluates: three passes over five.
    expect(events.map(({ steps }) => steps)).toEqual([15, 30, 45, 60, 75, 90]);
    for (const event of events) {
      const rewards = event.children.map(({ reward }) => reward);
      expect(rewards).toHaveLength(2);
      expect(event.reward_max).toBe(Math.max(...rewards));
      expect(event.reward_mean).toBeCloseTo((rewards[0] + rewards[1]) / 2, 12);
      expect(event.reward_base).toBeGreaterThanOrEqual(0);
      for (const reward of rewards) expect(reward).toBeGreaterThanOrEqual(0);
    }
    expect(events[1].seconds).toBeGreaterThan(events[0].seconds);
    expect(events[1].peak_memory_bytes).toBeGreaterThanOrEqual(events[0].peak_memory_bytes);
    expect(events[0].entropy).toBeGreaterThan(0);
    let before = 0;
    for (const { seconds, training_seconds, evaluation_seconds } of events) {
      expect(Math.min(training_seconds, evaluation_seconds)).toBeGreaterThan(0);
      expect(training_seconds + evaluation_seconds).toBeLessThan(seconds - before);
      before = seconds;
    }
    const { report } = await readRun(run);
    expect(report?.evaluation_seconds).toBeGreaterThan(0);
    expect(report?.evaluation_seconds).toBeLessThan((report?.seconds ?? 0) - before);
  });

  it("reports Dice on its split's cases, and the weights of the architecture", async () => {
    const report = reportSchema.out.strict().parse(await json('report.json'));
    const architecture = architectureSchema.parse(await json('architecture.json'));
    const names = (await readDataSet(dataSet)).cases.map(({ name }) => name);
    const split = splitCases(names, { folds: 4, fold: 1 });
    expect(Object.keys(report.test_dice.cases)).toEqual(split.test);
    expect(Object.keys(report.validation_dice.cases)).toEqual(split.validation);
    expect(Object.keys(report.test_dice.classes)).toEqual(['1', '2', '3']);
    const { tensors } = await readSafetensors(join(run, 'model.safetensors'));
    const { events, run: record } = await readRun(run);
    const { parameters } = networkOf(architecture, dimensionsOf(record));
    expect([...tensors.keys()].sort()).toEqual(parameters.map(({ name }) => name).sort());
    const numbers = [...tensors.values()].map(({ shape }) => shape.reduce((product, size) => product * size, 1));
    expect(numbers.reduce((sum, count) => sum + count)).toBe(report.parameters);
    const { gain } = report;
    expect(gain?.found).toBeCloseTo(report.validation_dice.mean ?? Number.NaN, 12);
    expect(gain?.found).toBeGreaterThanOrEqual(gain?.base ?? Number.NaN);
    expect(gain?.base).toBe(events[5].reward_base);
    // The best of the last step's children and of the likeliest one.
    expect(report.validation_dice.mean).toBeGreaterThanOrEqual(events[5].reward_max ?? Number.NaN);
  });

  it('draws a page that requests nothing', async () => {
    const page = await readFile(join(run, 'report.html'), 'utf8');
    // What a browser makes of it, the dashboard package's tests see.
    const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(page)?.[1] ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-\S+'; img-src data:;/);
    const markup = page.replace(/<(script|style).*?<\/\1>/gs, '');
    const links = [...markup.matchAll(/\b(?:src|href|srcset|action|data|poster)\s*=\s*["']?([^"'\s>]+)/g)];
    for (const [, target] of links) expect(target).toMatch(/^(data:|#)/);
    const { test_dice } = reportSchema.parse(await json('report.json'));
    const told = toldIn(page);
    expect(told.tested).toMatchObject({ dice: test_dice.mean, cases: 2 });
    expect(told.cases[0].cases.map(({ name }) => name).sort()).toEqual(Object.keys(test_dice.cases).sort());
  });
});

describe('what works on a finished run', () => {
  it('show prints what the search printed, and one JSON document', async () => {
    expect((await ronasmis('show', run)).stdout).toBe(searched.stdout);
    const shown = await ronasmis('show', run, '--json');
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    const { folder, ...records } = await readRun(run);
    expect(folder).toBe(run);
    expect(JSON.parse(shown.stdout)).toEqual(records);
  });

  it('resume repeats nothing', async () => {
    const contents = async () =>
      Promise.all((await readdir(run)).sort().map(async (name) => [name, await readFile(join(run, name), 'base64')]));
    const before = await contents();
    const resumed = await ronasmis('resume', run, '--json');
    expect(resumed.code).toBe(0);
    const [report, architecture] = [await json('report.json'), await json('architecture.json')];
    expect(JSON.parse(resumed.stdout)).toEqual({ run, report, architecture });
    expect(await contents()).toEqual(before);
  });

  it("predict writes label maps on the scans' own grids, whose Dice is the reported one", async () => {
    const { test_dice } = reportSchema.parse(await json('report.json'));
    const scans = Object.keys(test_dice.cases).map((name) => join(dataSet, 'imagesTr', `${name}.nii.gz`));
    const out = join(root, 'of files');
    const predicted = await ronasmis('predict', run, ...scans, '--out', out, '--json');
    expect(predicted.code, predicted.stderr).toBe(0);
    const { predictions, problems }: { predictions: Prediction[]; problems: string[] } = JSON.parse(predicted.stdout);
    expect(problems).toEqual([]);
    expect(predictions.map(({ input }) => input)).toEqual(scans);
    for (const { input, output } of predictions) {
      const [scan, label] = [await readNifti(input), await readNifti(output)];
      expect(label.shape).toEqual(scan.shape.slice(0, 3));
      expect(label.affine).toEqual(scan.affine);
      expect(label.data).toBeInstanceOf(Uint8Array);
      expect(Math.max(...label.data)).toBeLessThanOrEqual(3);
    }
    const evaluated = await ronasmis('evaluate', out, join(dataSet, 'labelsTr'), '--json');
    expect(evaluated.code, evaluated.stderr).toBe(0);
    expect(JSON.parse(evaluated.stdout).dice).toEqual(test_dice);
  });

  it('predict says the same of a scan that is sampled more finely along one axis', async () => {
    const agreement = await agreementWithCopy(
      run,
      join(dataSet, 'imagesTr', 'phantom_001.nii.gz'),
      join(root, 'finer'),
    );
    const mean = agreement.reduce((sum, dice) => sum + dice, 0) / agreement.length;
    expect(mean).toBeGreaterThanOrEqual(0.97);
  });

  it('predict takes a folder, and gives the same for a scan whatever else is there', async () => {
    const out = join(root, 'of a folder');
    const predicted = await ronasmis('predict', run, join(dataSet, 'imagesTr'), '--out', out);
    expect(predicted.code, predicted.stderr).toBe(0);
    expect((await readdir(out)).sort()).toEqual((await readdir(join(dataSet, 'imagesTr'))).sort());
    for (const name of await readdir(join(root, 'of files'))) {
      const [one, other] = await Promise.all(
        [out, join(root, 'of files')].map((folder) => readFile(join(folder, name))),
      );
      expect(one.equals(other)).toBe(true);
    }
  });
});
