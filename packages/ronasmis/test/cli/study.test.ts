import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { studyContent } from '../report/study-content.ts';
import { run } from './run.ts';

const { study } = vi.hoisted(() => ({ study: vi.fn() }));
vi.mock('../../src/study/study.ts', () => ({ study }));

const { results } = studyContent({ low: 0.002, high: 0.018 });
beforeEach(() => {
  study.mockReset().mockResolvedValue(results);
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
      folds: 5,
      fold: 0,
      device: 'auto',
      precision: 'auto',
    });
  });

  it('hands every option on, and prints one JSON document', async () => {
    const options = '--out s --time 90s --seeds 5 --children 12 --folds 3 --fold 2 --device cpu --precision fp32';
    const { stdout } = await run('study', 'data', ...options.split(' '), '--json');
    expect(JSON.parse(stdout)).toEqual({ study: 's', ...results });
    expect(study.mock.calls[0][0]).toEqual({
      dataSet: 'data',
      out: 's',
      timeSeconds: 90,
      seeds: 5,
      children: 12,
      folds: 3,
      fold: 2,
      device: 'cpu',
      precision: 'fp32',
    });
  });

  it('says which search runs, then the verdict and the tables', async () => {
    study.mockImplementation(async (_, { onSearch }) => {
      onSearch({ run: 'random-2', number: 8, total: 27 });
      return results;
    });
    const { stdout, stderr } = await run('study', 'data', '--time', '2m');
    expect(stderr).toBe('random-2, search 8 of 27\n\n');
    expect(stdout).toMatch(/^REINFORCE against random search: \+1\.00 points/);
    expect(stdout).toMatch(/^reinforce +86\.00 ± 1\.23 +85\.00 86\.00 87\.00 +1 min 30 s +20 s +2 min 0 s +5400$/m);
    expect(stdout).toMatch(/^ppo .* -$/m);
    expect(stdout).toMatch(/^reinforce - fixed +\+1\.00 +\+0\.20 to \+1\.80 +0\.012 +0\.049$/m);
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
