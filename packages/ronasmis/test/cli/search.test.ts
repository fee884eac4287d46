import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { withDefaults } from '../../src/search/options.ts';
import { reportContent } from '../report/content.ts';
import { run, writeRunFolder } from './run.ts';

const { search, resume, trainArchitecture } = vi.hoisted(() => ({
  search: vi.fn(),
  resume: vi.fn(),
  trainArchitecture: vi.fn(),
}));
vi.mock('../../src/search/train-architecture.ts', () => ({ trainArchitecture }));
vi.mock('../../src/search/search.ts', () => ({ search }));
vi.mock('../../src/search/resume.ts', () => ({ resume }));

const { report, architecture } = reportContent(1);
let folder: string;
beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'ronasmis-search-')), 'run');
  await writeRunFolder(folder, true);
});
afterAll(() => rm(join(folder, '..'), { recursive: true }));
beforeEach(() => {
  search.mockReset().mockResolvedValue({ report, architecture });
  resume.mockReset().mockResolvedValue({ report, architecture });
  trainArchitecture.mockReset().mockResolvedValue({ report, architecture });
});

const defaults = {
  children: 20,
  controller: 'auto',
  space: 'macro',
  augment: 'auto',
  folds: 5,
  fold: 0,
  seed: 1,
  device: 'auto',
  precision: 'auto',
};

describe('search', () => {
  it("takes the paper's settings by default, into a folder named after the data set", async () => {
    expect((await run('search', 'data/Prostate/', '--json')).code).toBe(0);
    const out = join('runs', 'Prostate');
    const [given] = search.mock.calls[0];
    // How many children there are, the recipe says.
    const { children, ...handedOn } = defaults;
    expect(given).toEqual({ dataSet: 'data/Prostate/', out, ...handedOn });
    const complete = { ...defaults, recipe: defaultRecipe };
    // What is added where neither a time nor a number of epochs is given.
    expect(withDefaults(given)).toEqual({ dataSet: 'data/Prostate/', out, epochs: 150, ...complete });
    expect(withDefaults({ dataSet: 'a', out: 'b' })).toEqual({ dataSet: 'a', out: 'b', epochs: 150, ...complete });
    expect(withDefaults({ dataSet: 'a', out: 'b', timeSeconds: 9, seed: 4 })).toEqual({
      dataSet: 'a',
      out: 'b',
      timeSeconds: 9,
      ...complete,
      seed: 4,
    });
  });

  it('hands every option on', async () => {
    const options =
      '--labels masks --memory 1.5GiB --out r --time 1.5h --children 4 --controller evolution --space fixed --augment --folds 3 --fold 2 --device cpu --precision fp32 --from runs/earlier';
    await run('search', 'data', ...options.split(' '), '--seed', '7', '--json');
    expect(search.mock.calls[0][0]).toEqual({
      dataSet: 'data',
      labelFolder: 'masks',
      memoryBytes: 1.5 * 2 ** 30,
      out: 'r',
      timeSeconds: 5400,
      children: 4,
      controller: 'evolution',
      space: 'fixed',
      augment: 'on',
      folds: 3,
      fold: 2,
      device: 'cpu',
      precision: 'fp32',
      from: 'runs/earlier',
      seed: 7,
    });
    await run('search', 'data', '--time', '90s', '--epochs', '9', '--space', 'micro', '--json');
    expect(search.mock.calls[1][0]).toMatchObject({ timeSeconds: 90, epochs: 9, space: 'micro' });
  });

  it('of an architecture trains it, and hands the other options on', async () => {
    const file = join(folder, '..', 'by-hand.json');
    // Of what a report is drawn of, one skip comes from where the decoder begins.
    if (architecture.kind !== undefined) throw new Error('A search leaves a child.');
    const decoder = architecture.decoder.map((level) => ({ ...level, skips: level.skips.filter((from) => from < 4) }));
    const byHand = { ...architecture, decoder };
    await writeFile(file, JSON.stringify(byHand));
    const { code } = await run(
      'search',
      'data',
      '--architecture',
      file,
      ...'--time 5m --seed 3 --from a --json'.split(' '),
    );
    expect(code).toBe(0);
    expect(search).not.toHaveBeenCalled();
    const { children, controller, space, ...common } = defaults;
    const options = { dataSet: 'data', out: join('runs', 'data'), ...common, timeSeconds: 300, seed: 3, from: 'a' };
    expect(trainArchitecture.mock.calls[0].slice(0, 2)).toEqual([byHand, options]);
  });

  it.each(['--space fixed', '--controller ppo', '--children 4'])('of an architecture has no %s', async (option) => {
    const { code, stderr } = await run('search', 'data', '--architecture', 'a.json', ...option.split(' '));
    expect(code).toBe(2);
    expect(stderr).toContain(`cannot be used with option '${option.split(' ')[0]}`);
  });

  it('prints one JSON document', async () => {
    const { stdout } = await run('search', 'data', '--out', folder, '--json');
    expect(JSON.parse(stdout)).toEqual({ run: folder, report, architecture });
  });

  it('shows plain lines of progress away from a terminal, then the result', async () => {
    search.mockImplementation(async (_, { onProgress }) => {
      onProgress({ phase: 'prepare', step: 0, done: 0, total: 208 });
      onProgress({ phase: 'train', step: 1, done: 10, total: 60, loss: 0.5 });
      onProgress({
        phase: 'evaluate',
        step: 1,
        done: 20,
        total: 20,
        reward: 0.7,
        entropy: 12,
        dice: 0.8,
        secondsLeft: 65,
      });
      onProgress({ phase: 'final', step: 1, done: 0, total: 42 });
      return { report, architecture };
    });
    const page = join(folder, 'report.html');
    await writeFile(page, '');
    const { code, stdout, stderr } = await run('search', 'data', '--out', folder, '--time', '15m');
    expect(code).toBe(0);
    expect(stderr).toBe(
      'Reading scans (208)\nstep 1: loss 0.500, reward 0.7000, entropy 12.00, best Dice 80.00 %, 1 min 5 s left\nPredicting test cases (42)\n\n',
    );
    expect(stdout).toContain('88.12 %  (Anterior 89.54, Posterior & <tail> 86.71), 42 cases');
    expect(stdout).toContain(page);
    // It may not be there, where the page of reports is not installed.
    await rm(page);
    expect((await run('show', folder)).stdout).not.toContain('report.html');
  });

  it('says ten warnings and counts the others', async () => {
    search.mockImplementation(async (_, { onStart }) => {
      const engine = { device: 'cpu', precision: 'fp32', cpu: 'a CPU', threads: 2 };
      const warnings = Array.from({ length: 13 }, (_, i) => `case ${i} is odd.`);
      onStart({ engine, memory: { expectedBytes: 2 ** 30, budgetBytes: 2 ** 31 }, warnings });
      return { report, architecture };
    });
    const { stderr } = await run('search', 'data', '--out', folder);
    expect(stderr.match(/warning: case \d+ is odd\./g)).toHaveLength(10);
    expect(stderr).toContain('warning: and 3 more, which inspect lists.\n');
  });

  it('says nothing of an entropy where the controller has none', async () => {
    search.mockImplementation(async (_, { onProgress }) => {
      onProgress({ phase: 'evaluate', step: 2, done: 20, total: 20, loss: 0.5, reward: 0.7, entropy: null, dice: 0.8 });
      return { report, architecture };
    });
    const { stderr } = await run('search', 'data', '--out', folder);
    expect(stderr).toBe('step 2: loss 0.500, reward 0.7000, best Dice 80.00 %\n\n');
  });

  it('stops cleanly on Ctrl-C and says how to go on', async () => {
    search.mockImplementation(async (_, { signal }) => {
      process.emit('SIGINT');
      signal.throwIfAborted();
    });
    const before = process.listenerCount('SIGINT');
    const { code, stderr } = await run('search', 'data', '--out', 'runs/mine', '--time', '1m');
    expect(code).toBe(130);
    expect(stderr).toMatch(/Stopping after the running step.*Go on with: ronasmis resume runs\/mine/s);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('quits at once on the second Ctrl-C', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    search.mockImplementation(async () => {
      process.emit('SIGINT');
      process.emit('SIGINT');
    });
    await run('search', 'data', '--time', '1m');
    expect(exit).toHaveBeenCalledWith(130);
    exit.mockRestore();
  });
});

it('resume hands the run folder on', async () => {
  const { code, stdout } = await run('resume', folder, '--json');
  expect(code).toBe(0);
  expect(resume.mock.calls[0][0]).toBe(folder);
  expect(JSON.parse(stdout)).toMatchObject({ run: folder });
});
