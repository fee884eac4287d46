import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { VERSION } from '../../src/base/version.ts';
import { run } from './run.ts';

vi.mock('@ronasmis/libtorch', () => {
  throw new Error('libtorch is not there');
});
const search = vi.hoisted(() => vi.fn());
vi.mock('../../src/search/search.ts', () => ({ search }));
vi.mock('../../src/search/resume.ts', () => ({ resume: search }));

const VERBS = [
  'search',
  'resume',
  'predict',
  'evaluate',
  'inspect',
  'show',
  'dashboard',
  'study',
  'download',
  'doctor',
];

beforeEach(() => {
  search.mockReset();
});

describe('help', () => {
  it('lists the verbs and needs no libtorch', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const verb of VERBS) expect(stdout).toMatch(new RegExp(`^  ${verb} `, 'm'));
  });

  it.each(VERBS)('%s has an example and --json', async (verb) => {
    const { code, stdout } = await run(verb, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Example:\n  $ ronasmis ${verb}`);
    expect(stdout).toContain('--json');
  });

  it('of search has the controllers and the spaces', async () => {
    const text = (await run('search', '--help')).stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain(
      '(choices: "auto", "reinforce", "ppo", "evolution", "near-base", "random", default: "auto")',
    );
    expect(text).toContain('(choices: "macro", "micro", "fixed", default: "macro")');
  });

  it('knows the version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(VERSION).toBe(version);
    expect(await run('--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

describe('usage errors', () => {
  const wrong: [string, string[], RegExp][] = [
    ['no verb', [], /Usage: ronasmis/],
    ['an unknown verb', ['serach', 'data'], /unknown command 'serach'.*Did you mean search/s],
    ['an unknown option', ['search', 'data', '--fould', '1'], /unknown option '--fould'.*--fold/s],
    ['a missing argument', ['search'], /missing required argument 'dataset'/],
    ['too many arguments', ['show', 'a', 'b'], /too many arguments/],
    ['a duration without its unit', ['search', 'data', '--time', '15'], /'15' is invalid.*15m/s],
    ['a number out of range', ['search', 'data', '--folds', '1'], /whole number from 2 to 100/],
    ['half a number', ['search', 'data', '--epochs', '1.5'], /whole number from 1/],
    ['an unknown device', ['search', 'data', '--device', 'tpu'], /auto, cpu, cuda, mps/],
    [
      'an unknown controller',
      ['search', 'data', '--controller', 'nonsense'],
      /'nonsense' is invalid\. Allowed choices are auto, reinforce, ppo, evolution, near-base, random\./,
    ],
    ['an unknown space', ['search', 'data', '--space', 'nonsense'], /Allowed choices are macro, micro, fixed\./],
    ['a fold that is none', ['search', 'data', '--fold', '5'], /--fold 5 is none of the 5 folds: take 0 to 4/],
    ['no output folder', ['predict', 'run', 'scan.nii.gz'], /--out <folder>/],
    ['an unknown task', ['download', 'Task99_Elbow', '--out', 'a'], /'Task99_Elbow' is invalid.*Task05_Prostate/],
    ['a negative tolerance', ['evaluate', 'a', 'b', '--tolerance', '-1'], /number above 0/],
  ];
  it.each(wrong)('%s ends with 2 and a sentence', async (_, args, sentence) => {
    const { code, stdout, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(search).not.toHaveBeenCalled();
  });
});

describe('errors of the library', () => {
  it('are a sentence where the user can fix them', async () => {
    search.mockRejectedValue(new UserError('data/dataset.json is missing: add it.'));
    expect(await run('search', 'data')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: data/dataset.json is missing: add it.\n',
    });
  });

  it('are a stack trace and a request to report them otherwise', async () => {
    search.mockRejectedValue(new TypeError('x is not a function'));
    const { code, stderr } = await run('resume', 'runs/a');
    expect(code).toBe(1);
    expect(stderr).toMatch(/TypeError: x is not a function\n +at .*Please report it/s);
  });

  it('are a JSON document for who asked for one', async () => {
    search.mockRejectedValue(new UserError('Too little time.'));
    const { code, stdout } = await run('search', 'data', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({ error: 'Too little time.' });
  });
});

it('says in a sentence, without a stack trace, that libtorch does not load', async () => {
  const code = 'LIBTORCH_NOT_LOADED';
  search.mockRejectedValue(
    Object.assign(new Error('The addon could not be loaded: LD_PRELOAD is set: unset it.'), { code }),
  );
  expect(await run('search', 'data', '--out', 'run')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: The addon could not be loaded: LD_PRELOAD is set: unset it\.\n$/),
  });
});
