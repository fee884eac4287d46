import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { studyContent } from '../report/study-content.ts';
import { run } from './run.ts';

const { study, headroom } = vi.hoisted(() => ({ study: vi.fn(), headroom: vi.fn() }));
vi.mock('../../src/study/study.ts', () => ({ study }));
vi.mock('../../src/study/headroom/headroom.ts', () => ({ headroom }));

const { results } = studyContent({ low: 0.002, high: 0.018 });
beforeEach(() => {
  study.mockReset().mockResolvedValue(results);
});

describe('study --headroom', () => {
  const run1 = { run: 'base-1', seed: 1, test_dice: 0.7, validation_dice: 0.72, training_steps: 100, seconds: 60 };
  const found = {
    seeds: 1,
    test_cases: 7,
    base: { runs: [run1], mean: 0.7, deviation: 0 },
    variants: [
      {
        name: 'elu',
        what: 'ELU at all levels',
        runs: [{ ...run1, run: 'elu-1', test_dice: 0.71 }],
        gain: { difference: 0.01, interval: null, p: 0.2, p_holm: 0.4 },
        problem: null,
      },
      { name: 'width-2', what: 'twice the width', runs: [], gain: null, problem: 'Too little memory.' },
    ],
  };

  beforeEach(() => void headroom.mockReset().mockResolvedValue(found));

  it('hands its options on', async () => {
    const words = '--time 5m --seeds 2 --fold 1 --variants elu,width-2 --side-by-side 2 --memory 2GiB --json';
    const { stdout } = await run('study', 'data/Heart', '--headroom', ...words.split(' '));
    expect(JSON.parse(stdout)).toEqual({ study: join('runs', 'Heart-headroom'), ...found });
    expect(headroom.mock.calls[0][0]).toEqual({
      dataSet: 'data/Heart',
      out: join('runs', 'Heart-headroom'),
      timeSeconds: 300,
      seeds: 2,
      folds: 5,
      fold: 1,
      names: ['elu', 'width-2'],
      sideBySide: 2,
      memoryBytes: 2 ** 31,
      device: 'auto',
      precision: 'auto',
    });
    expect(study).not.toHaveBeenCalled();
  });

  it('prints what each change is worth', async () => {
    const { stdout } = await run('study', 'data', '--headroom', '--time', '5m');
    expect(stdout).toMatch(/^The base network: test Dice 70\.00 %$/m);
    expect(stdout).toMatch(/^ELU at all levels +\+1\.00 +– +0\.200 +0\.400 +72\.00 +100$/m);
    expect(stdout).toMatch(/^twice the width +Too little memory\.$/m);
    expect(stdout).toContain(join('runs', 'data-headroom', 'headroom.html'));
  });

  it('alone knows variants, and is of one fold', async () => {
    const { stderr, code } = await run('study', 'data', '--time', '5m', '--variants', 'elu');
    expect(code).toBe(2);
    expect(stderr).toContain('--variants and --recipe are of --headroom');
    expect((await run('study', 'data', '--time', '5m', '--recipe', 'paper')).code).toBe(2);
    expect((await run('study', 'data', '--headroom', '--all-folds', '--time', '5m')).stderr).toContain('of one fold');
  });
});

describe('study', () => {
  it('takes three seeds by default, into a folder named after the data set', async () => {
    expect((await run('study', 'data/Prostate/', '--time', '15m', '--json')).code).toBe(0);
    expect(study.mock.calls[0][0]).toEqual({
      dataSet: 'data/Prostate/',
      out: join('runs', 'Prostate-study'),
      seeds: 3,
      timeSeconds: 900,
      children: 20,
      sideBySide: 1,
      folds: 5,
      fold: 0,
      device: 'auto',
      precision: 'auto',
    });
  });

  it('hands every option on, and prints one JSON document', async () => {
    const options =
      '--out s --time 90s --seeds 5 --children 12 --side-by-side 3 --folds 3 --fold 2 --device cpu --precision fp32';
    const { stdout } = await run('study', 'data', ...options.split(' '), '--json');
    expect(JSON.parse(stdout)).toEqual({ study: 's', ...results });
    expect(study.mock.calls[0][0]).toEqual({
      dataSet: 'data',
      out: 's',
      timeSeconds: 90,
      seeds: 5,
      children: 12,
      sideBySide: 3,
      folds: 3,
      fold: 2,
      device: 'cpu',
      precision: 'fp32',
    });
  });

  it('takes every fold in turn', async () => {
    await run('study', 'data', '--time', '5m', '--all-folds', '--folds', '3', '--json');
    expect(study.mock.calls[0][0]).toMatchObject({ folds: 3 });
    expect(study.mock.calls[0][0]).not.toHaveProperty('fold');
  });

  it('says which search runs, then the verdict and the tables', async () => {
    study.mockImplementation(async (_, { onSearch }) => {
      onSearch({ run: 'random-2', number: 8, total: 27 });
      return results;
    });
    const { stdout, stderr } = await run('study', 'data', '--time', '2m');
    expect(stderr).toBe('random-2, search 8 of 27\n\n');
    expect(stdout).toMatch(
      /^The search \(auto\) against the base architecture, trained without any search: \+1\.00 points/,
    );
    expect(stdout).toMatch(/^auto +86\.00 ± 1\.23 +85\.00 86\.00 87\.00 +1 min 30 s +20 s +2 min 0 s +5400$/m);
    expect(stdout).toMatch(/^ppo .* -$/m);
    expect(stdout).toMatch(/^auto - fixed +\+1\.00 +\+0\.20 to \+1\.80 +0\.012 +0\.049$/m);
    expect(stdout).toMatch(/^dilation, encoder level 4 +1 \+1\.20, 3 −2\.40$/m);
    expect(stdout).toContain(join('runs', 'data-study', 'study.html'));
  });

  it.each([
    ['no time', []],
    ['too few children to rank', ['--time', '1m', '--children', '11']],
    ['a fold that there is not', ['--time', '1m', '--fold', '5']],
  ])('ends with code 2: %s', async (_, options) => {
    expect((await run('study', 'data', ...options)).code).toBe(2);
    expect(study).not.toHaveBeenCalled();
  });

  it('stops cleanly on Ctrl-C and says how to go on', async () => {
    study.mockImplementation(async (_, { signal }) => {
      process.emit('SIGINT');
      signal.throwIfAborted();
    });
    const { code, stderr } = await run('study', 'data', '--time', '1m');
    expect(code).toBe(130);
    expect(stderr).toContain('Stopped. Type the same command again to go on.');
  });
});
