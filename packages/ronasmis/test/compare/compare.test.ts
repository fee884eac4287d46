import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { createRandom } from '../../src/base/random.ts';
import { type CompareHooks, type CompareOptions, compare } from '../../src/compare/compare.ts';
import type { CompareResults } from '../../src/run/compare-record.ts';
import { readComparison, readRun } from '../../src/run/read-run.ts';
import type { System, SystemOptions } from '../../src/systems/system.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { toldIn } from '../report/content.ts';
import { cheat, fakeSystem, writeTinyRunInto } from './fake-system.ts';

const root = await temporaryFolder();
const options: CompareOptions = {
  dataSet: join(root, 'Boxes'),
  out: join(root, 'compared'),
  seeds: 1,
  epochs: 1,
  folds: 3,
  fold: 0,
  device: 'cpu',
  precision: 'fp32',
};

/** Notes which runs are trained. */
const trained: string[] = [];
const train = ({ out }: SystemOptions): Promise<void> => {
  trained.push(out.slice(out.lastIndexOf('/') + 1));
  return writeTinyRunInto(out);
};
const good = fakeSystem('good', { train, segment: cheat(0, 0) });
/** Takes the core for the box. */
const worse = fakeSystem('worse', { train, segment: cheat(2, 1) });

beforeAll(async () => {
  const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => boxCase(name, createRandom(i), [16, 16, 16]));
  await writeDataSet(options.dataSet, cases);
});

const systemOf = ({ systems }: CompareResults, name: string) => systems.find((system) => system.name === name);

describe('a comparison', () => {
  let results: CompareResults;
  const places: string[] = [];

  beforeAll(async () => {
    results = await compare(options, [good, worse], {
      onRun: ({ run, number, total }) => void places.push(`${run} ${number}/${total}`),
    });
  });

  it('trains each system, and scores what it segments of the test cases', () => {
    expect(places).toEqual(['good-fold0-seed1 1/2', 'worse-fold0-seed1 2/2']);
    expect(trained).toEqual(['good-fold0-seed1', 'worse-fold0-seed1']);
    expect(results).toMatchObject({ test_cases: 2, reference: 'good', folds: [0], seeds: 1 });
    expect(systemOf(results, 'good')?.figures).toMatchObject({ dice: 1, hd95_mm: 0, nsd: 1 });
    // Of the plane's 16 voxels of a box, the core has a column of 4: Dice of the box 2 * 12 / (16 + 12), and none of the core.
    const wrong = systemOf(results, 'worse');
    expect(wrong?.figures?.dice).toBeCloseTo(24 / 28 / 2, 12);
    expect(wrong?.figures?.classes).toEqual({ 1: 24 / 28, 2: 0 });
    expect(wrong?.without_distance).toBe(2);
    expect(results.comparisons).toMatchObject([{ other: 'worse', interval: null, p: 0.5 }]);
    expect(results.comparisons[0].difference).toBeCloseTo(1 - 24 / 28 / 2, 12);
  });

  it('writes its record, a table and a page', async () => {
    const record = await readComparison(options.out);
    expect(record.results).toEqual(JSON.parse(JSON.stringify(results)));
    expect(record).toMatchObject({ settings: { epochs: 1, folds: 3 }, engine: { device: 'cpu', precision: 'fp32' } });
    const csv = (await readFile(join(options.out, 'compare.csv'), 'utf8')).split('\n');
    expect(csv[0]).toBe('system,fold,seed,case,class,dice,hd95_mm,nsd,prediction_mm3,reference_mm3,false_positive_mm3');
    expect(csv).toHaveLength(1 + 2 * 2 * 2 + 1);
    expect(csv.filter((line) => /^good,0,1,\w,2,1,0,1,64,64,0$/.test(line))).toHaveLength(2);
    const page = await readFile(join(options.out, 'compare.html'), 'utf8');
    expect(page).toContain('Systems compared on Boxes');
    expect(page.match(/<use href="#slice-\d+"/g)).toHaveLength(3 * 2);
  });

  it('enters what it found into the runs, whose reports are as those of any', async () => {
    const folder = join(options.out, 'worse-fold0-seed1');
    const { report } = await readRun(folder);
    expect(report?.test_dice.mean).toBeCloseTo(24 / 28 / 2, 12);
    expect(Object.keys(report?.test_dice.cases ?? {})).toHaveLength(2);
    const told = toldIn(await readFile(join(folder, 'report.html'), 'utf8'));
    expect(told.tested).toMatchObject({ cases: 2 });
    // The best and the worst case, three slices each, with the outlines of what was segmented.
    const slices = told.examples.flatMap((example) => example.slices);
    expect(slices).toHaveLength(2 * 3);
    expect(slices.flatMap(({ contours }) => contours).map(({ kind }) => kind)).toContain('prediction');
  });

  it('that has ended runs nothing again; more seeds, folds and systems extend it', async () => {
    trained.length = 0;
    expect(await compare(options, [good, worse])).toEqual(results);
    expect(trained).toEqual([]);
    const third = fakeSystem('third', { train });
    const { fold: _, ...everyFold } = options;
    const wider = await compare({ ...everyFold, seeds: 2 }, [good, third]);
    expect(trained).toHaveLength(2 * 3 * 2 - 1);
    expect(wider.test_cases).toBe(6);
    expect(systemOf(wider, 'good')).toMatchObject({ seed_deviation: 0, fold_deviation: 0 });
    // The third is segmented by the network that it left, by `predict`.
    expect(systemOf(wider, 'third')?.runs).toHaveLength(6);
    expect((await readdir(join(options.out, 'third-fold1-seed2', 'predictions'))).length).toBe(2);
  }, 60_000);

  it('of other settings, of a broken data set, or where something else is, is refused in a sentence', async () => {
    await expect(compare({ ...options, epochs: 2, memoryBytes: 5 }, [good])).rejects.toThrow(
      /holds a comparison of other settings \(epochs 1 instead of 2, memory bytes none instead of 5\): .* --out/,
    );
    const out = join(root, 'others');
    await mkdir(out);
    await writeFile(join(out, 'notes.txt'), '');
    await expect(compare({ ...options, out }, [good])).rejects.toThrow('holds something else than a comparison');
    expect(await readdir(out)).toEqual(['notes.txt']);
    const broken = { ...options, dataSet: join(root, 'Broken'), out: join(root, 'broken') };
    await writeDataSet(
      broken.dataSet,
      [...'abcdef'].map((name, i) => boxCase(name, createRandom(i), [16, 16, 16])),
    );
    await writeFile(join(broken.dataSet, 'labelsTr', 'c.nii.gz'), 'no label map');
    await expect(compare(broken, [good])).rejects.toThrow(/c\.nii\.gz: this is not a NIfTI file/);
    expect(existsSync(broken.out)).toBe(false);
  });
});

describe('a system that fails', () => {
  /** Fails so often in each way, and then does its work. */
  const failing = (...errors: readonly Error[]): System => {
    const left = [...errors];
    return fakeSystem('failing', {
      train: async (told) => {
        const error = left.shift();
        if (error) throw error;
        await train(told);
      },
    });
  };

  it('is recorded, the others go on, and it is tried again', async () => {
    const out = join(root, 'failing');
    const system = failing(new UserError('--python: there is none. Give one.'), new TypeError('x is no function'));
    const failures: string[] = [];
    const again = () =>
      compare({ ...options, out }, [system, good], {
        onFailure: ({ run, message }) => void failures.push(`${run}: ${message}`),
      });
    const first = await again();
    expect(failures).toEqual(['failing-fold0-seed1: --python: there is none. Give one.']);
    expect(first).toMatchObject({ reference: 'good', comparisons: [] });
    expect(systemOf(first, 'failing')).toMatchObject({
      figures: null,
      failures: [{ run: 'failing-fold0-seed1', message: '--python: there is none. Give one.', is_defect: false }],
    });
    expect(await readFile(join(out, 'compare.html'), 'utf8')).toContain('--python: there is none. Give one.');
    // A defect: its stack is kept.
    trained.length = 0;
    const second = await again();
    expect(trained).toEqual([]);
    expect(systemOf(second, 'failing')?.failures[0]).toMatchObject({ message: 'x is no function', is_defect: true });
    expect(await readFile(join(out, 'failing-fold0-seed1', 'failure.log'), 'utf8')).toMatch(
      /^\d{4}-.*\nTypeError: x is no function\n +at /,
    );
    const third = await again();
    expect(trained).toEqual(['failing-fold0-seed1']);
    expect(third.reference).toBe('failing');
    expect(systemOf(third, 'failing')).toMatchObject({ failures: [], runs: [{ fold: 0, seed: 1 }] });
  });

  it('leaves nothing where none has begun, and then other settings are taken', async () => {
    const out = join(root, 'short');
    const short = () => failing(new UserError('--time 1s is too short.'));
    const { reference, systems } = await compare({ ...options, out }, [short()]);
    expect(reference).toBeNull();
    expect(systems[0].failures).toHaveLength(1);
    expect(existsSync(out)).toBe(false);
    expect(await compare({ ...options, out, epochs: 5 }, [good])).toMatchObject({ reference: 'good' });
  });

  it('after a defect of all, takes other settings too', async () => {
    const out = join(root, 'defect');
    await compare({ ...options, out }, [failing(new Error('undefined is not a function'))]);
    expect(existsSync(join(out, 'failing-fold0-seed1', 'failure.log'))).toBe(true);
    expect(await compare({ ...options, out, epochs: 5 }, [good])).toMatchObject({ reference: 'good' });
  });

  it('by leaving no report or no label map is a defect', async () => {
    const out = join(root, 'lazy');
    const lazy = fakeSystem('lazy', { segment: async () => {} });
    const idle = fakeSystem('idle', {
      train: async ({ out: run }) => writeTinyRunInto(run).then(() => rm(join(run, 'report.json'))),
    });
    const found = await compare({ ...options, out }, [lazy, idle]);
    const said = found.systems.flatMap(({ failures }) => failures.map(({ message }) => message));
    expect(said[0]).toMatch(/^lazy has written no label map of \w\.$/);
    expect(said[1]).toMatch(/^idle has left no report in /);
  });
});

describe('a comparison that is stopped', () => {
  /** Hooks that stop it when this run begins. */
  const stoppingAt = (name: string): CompareHooks => {
    const controller = new AbortController();
    return { signal: controller.signal, onRun: ({ run }) => run === name && controller.abort() };
  };

  it('ends with an AbortError, records no failure, and goes on', async () => {
    const out = join(root, 'stopped');
    const slow = fakeSystem('slow', {
      train: async (told, { signal }) => {
        // As a program that is run would: by an error of its own.
        if (signal?.aborted) throw new Error('the process was ended');
        await train(told);
      },
    });
    trained.length = 0;
    await expect(compare({ ...options, out }, [good, slow], stoppingAt('slow-fold0-seed1'))).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect((await readComparison(out)).runs).toMatchObject({ 'good-fold0-seed1': { state: 'finished' } });
    expect(Object.keys((await readComparison(out)).runs)).toHaveLength(1);
    await compare({ ...options, out }, [good, slow]);
    expect(trained).toEqual(['good-fold0-seed1', 'slow-fold0-seed1']);
  });
});
