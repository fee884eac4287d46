import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CompareResults } from '../../src/run/compare-record.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { compareContent } from '../report/compare-content.ts';
import { run } from './run.ts';

const { compare } = vi.hoisted(() => ({ compare: vi.fn() }));
vi.mock('../../src/compare/compare.ts', () => ({ compare }));

const root = await temporaryFolder();
const { record, results: withFailure } = compareContent();
const results: CompareResults = {
  ...withFailure,
  systems: withFailure.systems.map((system) => ({ ...system, failures: [] })),
};
const out = join(root, 'out');
await mkdir(out);
await writeFile(join(out, 'compare.json'), JSON.stringify(record));
const needed = ['--systems', 'ronasmis,ronasmis-paper', '--time', '2m'];

beforeEach(() => {
  compare.mockReset().mockResolvedValue(results);
});

describe('compare', () => {
  it('takes one seed and every fold by default, into a folder named after the data set', async () => {
    expect((await run('compare', 'data/Prostate/', ...needed, '--json')).code).toBe(0);
    const [options, systems] = compare.mock.calls[0];
    expect(options).toEqual({
      dataSet: 'data/Prostate/',
      out: join('runs', 'Prostate-compare'),
      seeds: 1,
      timeSeconds: 120,
      folds: 5,
      device: 'auto',
      precision: 'auto',
    });
    expect(systems.map(({ name }: { readonly name: string }) => name)).toEqual(['ronasmis', 'ronasmis-paper']);
  });

  it('hands every option on, and prints one JSON document', async () => {
    const words =
      '--systems ronasmis --out s --time 90s --seeds 5 --folds 3 --fold 2 --from runs/heart --python /opt/python --labels l --memory 2GiB --device cpu --precision fp32';
    const { stdout } = await run('compare', 'data', ...words.split(' '), '--json');
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify({ comparison: 's', ...results })));
    expect(compare.mock.calls[0][0]).toEqual({
      dataSet: 'data',
      labelFolder: 'l',
      out: 's',
      timeSeconds: 90,
      seeds: 5,
      folds: 3,
      fold: 2,
      from: 'runs/heart',
      python: '/opt/python',
      memoryBytes: 2 ** 31,
      device: 'cpu',
      precision: 'fp32',
    });
  });

  it('takes epochs in place of a time, and one of the two it wants', async () => {
    expect((await run('compare', 'data', '--systems', 'nnunet', '--epochs', '1000', '--json')).code).toBe(0);
    expect(compare.mock.calls[0][0]).toMatchObject({ epochs: 1000 });
    expect(compare.mock.calls[0][0]).not.toHaveProperty('timeSeconds');
    const { stderr, code } = await run('compare', 'data', '--systems', 'nnunet');
    expect(code).toBe(2);
    expect(stderr).toContain('give --time, such as 15m, or --epochs');
  });

  it('says which run goes on, then the table, the verdict and the caveats', async () => {
    compare.mockImplementation(async (_, __, { onRun, onFailure }) => {
      onRun({ run: 'theirs-fold0-seed1', number: 2, total: 3 });
      onFailure({ run: 'broken-fold0-seed1' });
      return results;
    });
    const { stdout, stderr, code } = await run('compare', 'data', ...needed, '--out', out);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^theirs-fold0-seed1, run 2 of 3\nwarning: broken-fold0-seed1 could not be run/);
    expect(stdout).toMatch(/^Dice, % +ours +theirs +broken\ngland +80\.00 +70\.00 +–\nmean +80\.00 +70\.00 +–$/m);
    expect(stdout).toMatch(/^ours less this one +ours +theirs +broken\npoints of Dice +– +\+10\.00 +–$/m);
    expect(stdout).toMatch(/^Ours & co against Theirs: \+10\.00 points/m);
    expect(stdout).toContain('3 test cases: so few say little');
    expect(stdout).toContain(join(out, 'compare.html'));
  });

  it('ends with 2 and the sentences where systems could not be run, behind the table of the others', async () => {
    compare.mockResolvedValue(withFailure);
    const { stdout, stderr, code } = await run('compare', 'data', ...needed, '--out', out);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^mean +80\.00/m);
    expect(stderr).toContain('error: broken-fold0-seed1: --python: <none> is there.\n');
    expect(stderr).toContain('Type the same command again');
  });

  it('ends with 1 where one of them is a defect, and says where its stack is', async () => {
    const failures = [{ run: 'broken-fold0-seed1', message: 'x is undefined', is_defect: true }];
    const systems = results.systems.map((system) => (system.name === 'broken' ? { ...system, failures } : system));
    compare.mockResolvedValue({ ...results, reference: null, systems });
    const { stdout, stderr, code } = await run('compare', 'data', ...needed, '--out', out);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(join(out, 'broken-fold0-seed1', 'failure.log'));
  });

  it.each([
    ['no time', ['--systems', 'ronasmis'], /--time/],
    ['no systems', ['--time', '1m'], /--systems/],
    ['an empty name', ['--time', '1m', '--systems', 'ronasmis,,'], /Write names with commas between them/],
    [
      'a system that is none',
      ['--time', '1m', '--systems', 'ronasmis,nonsense'],
      /--systems nonsense: there is no such system\. Give some of ronasmis, ronasmis-paper/,
    ],
    ['a fold that there is not', [...needed, '--fold', '7'], /--fold 7 is none of the 5 folds: take 0 to 4\./],
  ])('ends with code 2: %s', async (_, options, said) => {
    const { code, stderr } = await run('compare', 'data', ...options);
    expect(code).toBe(2);
    expect(stderr).toMatch(said);
    expect(compare).not.toHaveBeenCalled();
  });

  it('stops cleanly on Ctrl-C and says how to go on', async () => {
    compare.mockImplementation(async (_, __, { signal }) => {
      process.emit('SIGINT');
      signal.throwIfAborted();
    });
    const { code, stderr } = await run('compare', 'data', ...needed);
    expect(code).toBe(130);
    expect(stderr).toContain('Stopped. Type the same command again to go on.');
  });
});
