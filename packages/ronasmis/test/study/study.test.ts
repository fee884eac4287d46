import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { memory } from '@ronasmis/libtorch';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromSource } from '../../../../test/from-source.ts';
import { createRandom } from '../../src/base/random.ts';
import { readRun } from '../../src/run/read-run.ts';
import type { StudyResults } from '../../src/run/study-record.ts';
import { pickChildren } from '../../src/study/plan.ts';
import { type StudyHooks, type StudyOptions, study } from '../../src/study/study.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const root = await temporaryFolder();
const options: StudyOptions = {
  dataSet: join(root, 'Boxes'),
  out: join(root, 'study'),
  seeds: 2,
  epochs: 1,
  children: 3,
  sideBySide: 1,
  folds: 3,
  fold: 0,
  device: 'cpu',
  precision: 'fp32',
};
const begun: string[] = [];
const started: string[] = [];
const tensors: number[] = [];
let results: StudyResults;

/** What a study comes to but for what it took. */
const outcome = ({ contestants, comparisons, alone, contributions }: StudyResults) => ({
  dice: contestants.map(({ name, runs }) => [
    name,
    runs.map(({ test_dice, validation_dice }) => [test_dice, validation_dice]),
  ]),
  comparisons,
  alone,
  contributions,
});

beforeAll(async () => {
  const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => boxCase(name, createRandom(i), [16, 16, 16]));
  await writeDataSet(options.dataSet, cases);
  results = await study(options, {
    onStart: ({ engine }) => void started.push(engine.device),
    onSearch: ({ run, number, total }) => {
      begun.push(`${number}/${total} ${run}`);
      tensors.push(memory().tensors);
    },
  });
}, 120_000);

describe('a study', () => {
  it('runs every contestant with every seed, each seed from another one on, then children alone', () => {
    expect(begun).toEqual([
      '1/17 random-1',
      '2/17 fixed-1',
      '3/17 auto-1',
      '4/17 reinforce-1',
      '5/17 ppo-1',
      '6/17 evolution-1',
      '7/17 near-base-1',
      '8/17 fixed-2',
      '9/17 auto-2',
      '10/17 reinforce-2',
      '11/17 ppo-2',
      '12/17 evolution-2',
      '13/17 near-base-2',
      '14/17 random-2',
      '15/17 alone-01',
      '16/17 alone-02',
      '17/17 alone-03',
    ]);
    expect(started).toEqual(['cpu']);
  });

  it('says of each search what its run folder says', async () => {
    const names = ['auto', 'reinforce', 'ppo', 'evolution', 'near-base', 'random', 'fixed'];
    expect(results.contestants.map(({ name }) => name)).toEqual(names);
    for (const { name, runs, test_dice } of results.contestants) {
      for (const [i, run] of runs.entries()) {
        const { run: record, report } = await readRun(join(options.out, `${name}-${i + 1}`));
        expect(record.settings).toMatchObject({
          seed: i + 1,
          controller: name === 'fixed' ? 'auto' : name,
          space: name === 'fixed' ? 'fixed' : 'macro',
        });
        expect(run).toMatchObject({ test_dice: report?.test_dice.mean, seconds: report?.seconds });
        expect(run.training_seconds + run.evaluation_seconds).toBeLessThan(run.seconds);
      }
      expect(test_dice.mean).toBeCloseTo((runs[0].test_dice + runs[1].test_dice) / 2, 12);
    }
    const [auto, reinforce] = results.contestants;
    expect(results.comparisons.map(({ other }) => other)).toEqual(names.slice(1));
    expect(results.comparisons[0].difference).toBeCloseTo(auto.test_dice.mean - reinforce.test_dice.mean, 12);
  });

  it("trains the children of random search alone, each no other, on the base child's patch", async () => {
    const patch = (await readRun(join(options.out, 'fixed-1'))).architecture?.patch;
    const { children } = (await readRun(join(options.out, 'random-1'))).events[0];
    // Three times as many as other contestants judge.
    expect(children).toHaveLength(9);
    expect((await readRun(join(options.out, 'ppo-1'))).events[0].children).toHaveLength(3);
    const rewards = results.alone.children.map(({ reward }) => reward);
    expect(rewards).toEqual(pickChildren(children, 3).map(({ reward }) => reward));
    for (const { run, reward } of results.alone.children) {
      const child = { ...children.find((one) => one.reward === reward)?.architecture, patch };
      const { architecture, events, run: record } = await readRun(join(options.out, run));
      expect(architecture).toEqual(child);
      expect(record.settings.only_child).toEqual(child);
      expect(record.settings).toMatchObject({ epochs: 1, time_seconds: null });
      expect(events.flatMap((event) => event.children.map((one) => one.architecture))).toEqual([child]);
    }
  });

  it('holds no more memory the more searches have ended', () => {
    // What a search leaves is freed by the garbage collector, so that now and then there are two of them.
    const [none, ofOneSearch] = tensors;
    expect(none).toBe(0);
    expect(ofOneSearch).toBeGreaterThan(100);
    expect(Math.max(...tensors)).toBeLessThanOrEqual(2 * ofOneSearch);
  });

  it('writes its record and a page', async () => {
    const record = JSON.parse(await readFile(join(options.out, 'study.json'), 'utf8'));
    expect(record).toMatchObject({
      settings: { epochs: 1, children: 3 },
      engine: { device: 'cpu', precision: 'fp32' },
    });
    expect(record.results).toEqual(JSON.parse(JSON.stringify(results)));
    expect(Object.keys(record.joules)).toHaveLength(17);
    expect(await readFile(join(options.out, 'study.html'), 'utf8')).toContain('Is the search worth it? Boxes');
  });

  it('goes on where it was stopped, in the middle of a search too, and ends as an unbroken one', async () => {
    const again = { ...options, out: join(root, 'stopped') };
    for (const [run, phase] of [
      ['evolution-1', 'evaluate'],
      ['alone-02', 'train'],
    ]) {
      await expect(study(again, stopping(run, phase))).rejects.toMatchObject({ name: 'AbortError' });
    }
    const rest: string[] = [];
    const resumed = await study(again, { onSearch: ({ run }) => void rest.push(run) });
    expect(rest).toEqual(['alone-02', 'alone-03']);
    expect(outcome(resumed)).toEqual(outcome(results));
  }, 120_000);

  it('that has ended runs nothing again, and more seeds extend it', async () => {
    const rest: string[] = [];
    const hooks = { onSearch: ({ run }: { readonly run: string }) => void rest.push(run) };
    expect(await study(options, hooks)).toEqual(results);
    expect(rest).toEqual([]);
    const wider = await study({ ...options, seeds: 3 }, hooks);
    expect(rest).toEqual(['auto-3', 'reinforce-3', 'ppo-3', 'evolution-3', 'near-base-3', 'random-3', 'fixed-3']);
    expect(wider.alone).toEqual(results.alone);
  }, 60_000);

  it('of other settings, or a folder of something else, is refused in a sentence', async () => {
    await expect(study({ ...options, fold: 1, epochs: 2 })).rejects.toThrow(
      /holds a study of other settings \(epochs 1 instead of 2, fold 0 instead of 1\): .* --out/,
    );
    const out = join(options.dataSet, 'mine');
    await mkdir(out);
    await writeFile(join(out, 'notes.txt'), '');
    await expect(study({ ...options, out })).rejects.toThrow('holds something else than a study');
    expect(await readdir(out)).toEqual(['notes.txt']);
    await rm(out, { recursive: true });
    await expect(study({ ...options, out: options.dataSet })).rejects.toThrow('is an input, which the results would');
  });

  it('of several folds, runs side by side, compares fold by fold', { timeout: 240_000 }, async () => {
    const before = process.execArgv;
    process.execArgv = [...fromSource];
    const out = join(root, 'folds');
    const { fold: _, ...everyFold } = options;
    const begunNow: string[] = [];
    const wider = await study(
      { ...everyFold, out, folds: 2, seeds: 1, sideBySide: 2 },
      { onSearch: ({ run }) => void begunNow.push(run) },
    ).finally(() => {
      process.execArgv = before;
    });
    expect(begunNow).toHaveLength(2 * 7 + 3);
    expect(begunNow.slice(0, 2)).toEqual(['random-fold0-1', 'fixed-fold0-1']);
    expect(wider.test_cases).toBe(6);
    const [auto] = wider.contestants;
    expect(auto.runs.map(({ run, fold }) => [run, fold])).toEqual([
      ['auto-fold0-1', 0],
      ['auto-fold1-1', 1],
    ]);
    const found = wider.comparisons.find(({ other }) => other === 'fixed');
    const fixed = wider.contestants.find(({ name }) => name === 'fixed');
    const differences = auto.runs.map(({ test_dice }, at) => test_dice - (fixed?.runs[at].test_dice ?? 0));
    expect(found?.difference).toBeCloseTo((differences[0] + differences[1]) / 2, 12);
    expect((await readRun(join(out, 'alone-01'))).run.settings.fold).toBe(0);
  });

  it('whose first search was refused leaves nothing, and takes other settings', async () => {
    const out = join(root, 'short');
    await expect(study({ ...options, out, timeSeconds: 0.01 })).rejects.toThrow('--time 0s is too short');
    expect(existsSync(out)).toBe(false);
    await expect(study({ ...options, out, epochs: 3 }, stopping('random-1', 'train'))).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(JSON.parse(await readFile(join(out, 'study.json'), 'utf8')).settings.epochs).toBe(3);
  });
});

/** Hooks that stop a study when the search of this name comes to a phase. */
function stopping(name: string, phase: string): StudyHooks {
  const controller = new AbortController();
  let running = '';
  return {
    signal: controller.signal,
    onSearch: ({ run }) => {
      running = run;
    },
    onProgress: (progress) => {
      if (running === name && progress.phase === phase) controller.abort();
    },
  };
}
