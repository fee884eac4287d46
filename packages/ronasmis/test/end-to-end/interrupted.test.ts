import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import { eventSchema } from '../../src/run/event.ts';
import { reportSchema } from '../../src/run/report.ts';
import { ronasmis, start } from './command.ts';

const root = await mkdtemp(join(tmpdir(), 'ronasmis-interrupted-'));
const dataSet = join(root, 'Phantom');
const unbroken = join(root, 'unbroken');
const searchInto = (run: string) =>
  [
    'search',
    dataSet,
    '--out',
    run,
    ...'--folds 4 --epochs 3 --children 2 --seed 5 --controller reinforce'.split(' '),
  ] as const;

const lines = async (run: string) =>
  (await readFile(join(run, 'events.jsonl'), 'utf8').catch(() => '')).split('\n').slice(0, -1);

/** Waits until a search that is running has finished so many controller steps, and has saved a checkpoint of one. */
async function finishedSteps(run: string, steps: number): Promise<void> {
  while ((await lines(run)).length < steps) await setTimeout(20);
  // The event comes first: a killed search that has it, but not its checkpoint, makes the step again.
  while (!(await readdir(run)).includes('checkpoint.safetensors')) await setTimeout(20);
}

/** What two runs of the same seed have in common: everything but what they took. */
async function outcome(run: string) {
  const events = (await lines(run)).map((line) => {
    const { seconds, training_seconds, evaluation_seconds, peak_memory_bytes, children, ...event } = eventSchema.parse(
      JSON.parse(line),
    );
    return { ...event, children: children.map(({ seconds, ...child }) => child) };
  });
  const report = reportSchema.parse(JSON.parse(await readFile(join(run, 'report.json'), 'utf8')));
  const { validation_dice, test_dice, parameters } = report;
  const architecture = await readFile(join(run, 'architecture.json'), 'utf8');
  return { events, validation_dice, test_dice, parameters, architecture };
}

async function expectAsUnbroken(run: string): Promise<void> {
  expect(await outcome(run)).toEqual(await outcome(unbroken));
  const [weights, expected] = await Promise.all(
    [run, unbroken].map((folder) => readFile(join(folder, 'model.safetensors'))),
  );
  expect(weights.equals(expected)).toBe(true);
  expect((await readdir(run)).sort()).toEqual((await readdir(unbroken)).sort());
}

beforeAll(async () => {
  await writePhantomDataSet(dataSet, { cases: 8, seed: 3 });
  const { code, stderr } = await ronasmis(...searchInto(unbroken));
  expect(code, stderr).toBe(0);
}, 120_000);
afterAll(() => rm(root, { recursive: true }));

it('a search that is killed in the middle of a step and resumed ends as an unbroken one', async () => {
  const run = join(root, 'killed');
  const { child, ended } = start(...searchInto(run));
  await finishedSteps(run, 1);
  child.kill('SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
  expect(await lines(run)).toHaveLength(1);
  expect(await readdir(run)).toContain('checkpoint.safetensors');
  expect(await readdir(run)).not.toContain('report.json');

  const resumed = await ronasmis('resume', run);
  expect(resumed.code, resumed.stderr).toBe(0);
  // It goes on with the second step.
  expect(resumed.stderr).toMatch(/^step 2: /m);
  expect(resumed.stderr).not.toMatch(/^step 1: /m);
  await expectAsUnbroken(run);
}, 120_000);

it('a search into the folder of one that runs, or resume beside it, is refused and does it no harm', async () => {
  const run = join(root, 'twice');
  const { child, ended } = start(...searchInto(run));
  const works = `${run}: another process works there (process ${child.pid}).`;
  while (!(await readdir(run).catch((): string[] => [])).includes('.lock')) await setTimeout(5);
  const second = await ronasmis(...searchInto(run));
  expect(second.code).toBe(2);
  // By then it may have passed its checks, and have written run.json.
  expect(
    [works, `${run} holds a run already`].some((said) => second.stderr.includes(said)),
    second.stderr,
  ).toBe(true);
  await finishedSteps(run, 1);
  expect(await ronasmis('resume', run)).toMatchObject({ code: 2, stderr: expect.stringContaining(works) });
  expect((await ended).code).toBe(0);
  await expectAsUnbroken(run);
}, 120_000);

it('Ctrl-C stops a search with exit code 130, says how to go on, and that is so', async () => {
  const run = join(root, 'stopped');
  const { child, ended } = start(...searchInto(run));
  await finishedSteps(run, 2);
  child.kill('SIGINT');
  const stopped = await ended;
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toContain(`Stopped. Go on with: ronasmis resume ${run}`);
  expect(stopped.stderr).not.toMatch(/^ +at /m);
  expect(await readdir(run)).not.toContain('report.json');
  const shown = await ronasmis('show', run);
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(' 2 controller steps, 30 training steps)') });
  expect(await ronasmis('predict', run, dataSet, '--out', join(root, 'out'))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/stopped: this search has not finished\. Go on with it by 'ronasmis resume /),
  });

  const resumed = await ronasmis('resume', run, '--json');
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(JSON.parse(resumed.stdout)).toMatchObject({ run, report: expect.anything() });
  await expectAsUnbroken(run);
}, 120_000);
