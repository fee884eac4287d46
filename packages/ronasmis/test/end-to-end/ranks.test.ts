import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import { freePort } from '../../src/ranks/free-port.ts';
import { eventSchema } from '../../src/run/event.ts';
import { reportSchema } from '../../src/run/report.ts';
import { runSchema } from '../../src/run/run-record.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { ronasmis, type Started, startAs } from './command.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Phantom');
const recipe = join(root, 'recipe.json');
const settings =
  '--folds 4 --epochs 3 --children 2 --seed 5 --controller reinforce --precision fp32 --memory 1500MiB'.split(' ');
const searchInto = (run: string) => ['search', dataSet, '--out', run, '--recipe', recipe, ...settings] as const;

const events = async (run: string) =>
  (await readFile(join(run, 'events.jsonl'), 'utf8').catch(() => ''))
    .split('\n')
    .slice(0, -1)
    .map((line) => eventSchema.parse(JSON.parse(line)));

/** The losses of the networks that raced at its beginning. */
const raceOf = async (run: string): Promise<readonly number[]> =>
  (runSchema.parse(JSON.parse(await readFile(join(run, 'run.json'), 'utf8'))).race ?? []).map(({ loss }) => loss);

/** The same command as so many ranks, as a launcher starts them. */
async function startRanks(size: number, words: readonly string[]): Promise<readonly Started[]> {
  const common = { WORLD_SIZE: String(size), MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(await freePort()) };
  return Array.from({ length: size }, (_, rank) =>
    startAs({ ...common, RANK: String(rank), LOCAL_RANK: String(rank), OMP_NUM_THREADS: '1' }, ...words),
  );
}

beforeAll(async () => {
  await writePhantomDataSet(dataSet, { cases: 8, seed: 3 });
  await writeFile(recipe, JSON.stringify({ training: { mini_batches: 2 }, network: { thick_slice: null } }));
});

// Three searches of several processes each.
it('two ranks find what one process finds of as many cases a step; one of them writes', async () => {
  const [one, two] = [join(root, 'one'), join(root, 'two')];
  const alone = await ronasmis(...searchInto(one));
  expect(alone.code, alone.stderr).toBe(0);
  const shared = await ronasmis(...searchInto(two), '--ranks', '2');
  expect(shared.code, shared.stderr).toBe(0);
  expect(shared.stdout).toMatch(/^Report /m);
  const [expected, found] = [await events(one), await events(two)];
  expect(found.map(({ children }) => children.map(({ architecture }) => architecture))).toEqual(
    expected.map(({ children }) => children.map(({ architecture }) => architecture)),
  );
  const differences = found.map(({ loss }, at) => Math.abs(loss - expected[at].loss));
  expect(Math.max(...differences)).toBeLessThan(1e-3);
  const [raceOfOne, raceOfTwo] = [await raceOf(one), await raceOf(two)];
  expect(raceOfTwo).toHaveLength(2);
  expect(raceOfTwo.map((loss, at) => Math.abs(loss - raceOfOne[at])).filter((difference) => difference > 1e-3)).toEqual(
    [],
  );
  const report = reportSchema.parse(JSON.parse(await readFile(join(two, 'report.json'), 'utf8')));
  expect(Object.keys(report.test_dice.cases)).toHaveLength(2);
}, 300_000);

it('a rank that is killed ends the other with a sentence, and the run goes on with one rank or three', async () => {
  const run = join(root, 'killed');
  const [first, second] = await startRanks(2, searchInto(run));
  while ((await events(run)).length < 1) await setTimeout(20);
  second.child.kill('SIGKILL');
  const killed = performance.now();
  const { code, stderr } = await first.ended;
  expect(performance.now() - killed).toBeLessThan(10_000);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: Rank 0 of 2: rank 1 ended .*resume/m)]);
  const before = (await events(run)).length;
  const three = await Promise.all((await startRanks(3, ['resume', run])).map(({ ended }) => ended));
  expect(three.map((end) => [end.code, end.stderr])).toEqual([
    [0, expect.stringMatching(new RegExp(`^step ${before + 1}: `, 'm'))],
    [0, ''],
    [0, ''],
  ]);
  expect((await events(run)).map(({ step }) => step)).toEqual([1, 2, 3]);
}, 300_000);

it('ranks that are given different data say so', async () => {
  const other = join(root, 'Other');
  await writePhantomDataSet(other, { cases: 8, seed: 4 });
  const common = { WORLD_SIZE: '2', MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(await freePort()) };
  const run = join(root, 'different');
  const [words, others] = [dataSet, other].map((folder) => ['search', folder, '--out', run, ...settings]);
  const ends = await Promise.all(
    [startAs({ ...common, RANK: '0' }, ...words), startAs({ ...common, RANK: '1' }, ...others)].map(
      ({ ended }) => ended,
    ),
  );
  for (const { code, stderr } of ends) {
    expect([code, stderr]).toEqual([2, expect.stringMatching(/Rank 1 has another data set than rank 0/)]);
  }
}, 300_000);
