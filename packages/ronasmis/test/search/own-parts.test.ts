import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { createRandom } from '../../src/base/random.ts';
import type { CreateController } from '../../src/controller/controller.ts';
import { createController } from '../../src/controller/create.ts';
import { readRun } from '../../src/run/read-run.ts';
import { resume } from '../../src/search/resume.ts';
import { type OwnParts, type SearchHooks, search } from '../../src/search/search.ts';
import { admittedOptions } from '../../src/space/space.ts';
import { type CreateSpace, createSpace } from '../../src/space/spaces.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { outcome } from './outcome.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Boxes');
const options = { dataSet, children: 2, epochs: 2, folds: 3, device: 'cpu', precision: 'fp32', seed: 3 } as const;

/** Always the last option, so that it can be told from any controller of ours; counts its steps. */
const stubborn: CreateController = (space) => {
  let steps = 0;
  const child = (): readonly number[] => {
    const choices: number[] = [];
    while (choices.length < space.decisions.length) choices.push(admittedOptions(space, choices).at(-1) ?? 0);
    return choices;
  };
  const propose = (count: number) => Array.from({ length: count }, child);
  return {
    begin: () => {},
    proposeForTraining: propose,
    proposeForEvaluation: propose,
    distributionOf: () => null,
    learn: () => ++steps,
    finalists: () => [],
    state: () => ({ tensors: new Map(), plain: steps }),
    restore: ({ plain }) => {
      steps = Number(plain);
    },
  };
};

/** The macro space with ELU alone. */
const onlyElu: CreateSpace = (...given) => {
  const macro = createSpace('macro', ...given);
  const baseChoices = macro.baseChoices.map((option, at) => (macro.decisions[at].choice === 'activation' ? 2 : option));
  const base = macro.decode(baseChoices);
  return {
    ...macro,
    base,
    baseChoices,
    admitted: (choices) =>
      macro
        .admitted(choices)
        .map((allowed, option) => allowed && (macro.decisions[choices.length].choice !== 'activation' || option === 2)),
  };
};
const own = { controller: stubborn, space: onlyElu };

beforeAll(async () => {
  const random = createRandom(1);
  await writeDataSet(
    dataSet,
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => boxCase(name, random, [16, 16, 16])),
  );
  await search({ ...options, ...own, out: join(root, 'unbroken') });
}, 60_000);

it("asks someone else's controller for the children, and someone else's space what they are", async () => {
  const { run, events } = await readRun(join(root, 'unbroken'));
  expect(run.settings).toMatchObject({ controller: 'stubborn', space: 'onlyElu' });
  // The first step is the warm-up.
  expect(events.map(({ baseline }) => baseline)).toEqual([null, 1]);
  const [first, ...others] = events.flatMap(({ children }) => children.map(({ architecture }) => architecture));
  for (const other of others) expect(other).toEqual(first);
  expect(JSON.stringify(first)).toMatch(/"activation":"elu"/);
  expect(JSON.stringify(first)).not.toMatch(/relu/);
});

/** A search with both that is stopped in its second step. */
async function stop(out: string): Promise<void> {
  const abort = new AbortController();
  const hooks: SearchHooks = {
    signal: abort.signal,
    onProgress: ({ phase, step }) => {
      if (phase === 'train' && step === 2) abort.abort();
    },
  };
  await expect(search({ ...options, ...own, out }, hooks)).rejects.toMatchObject({ name: 'AbortError' });
}

it('goes on with both where they are handed over again, and with nothing else', async () => {
  const out = join(root, 'stopped');
  await stop(out);
  const refused: readonly OwnParts[] = [
    {},
    { controller: stubborn },
    { ...own, space: (...given) => onlyElu(...given) },
  ];
  for (const parts of refused) {
    const error: unknown = await resume(out, {}, parts).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(
      /This run was begun with the (controller 'stubborn'|space 'onlyElu'): .* hand the same/,
    );
  }
  await resume(out, {}, own);
  expect(await outcome(out)).toEqual(await outcome(join(root, 'unbroken')));
});

it('refuses what no run.json could tell from ours, before anything is written', async () => {
  const named = (name: string): CreateController =>
    Object.defineProperty(((space, seed, recipe) => stubborn(space, seed, recipe)) satisfies CreateController, 'name', {
      value: name,
    });
  for (const [name, why] of [
    ['', /'' is none: name it/],
    ['evolution', /'evolution' is one of ours/],
  ] as const) {
    const out = join(root, `refused-${name}`);
    await expect(search({ ...options, controller: named(name), out })).rejects.toThrow(why);
    await expect(readFile(join(out, 'run.json'))).rejects.toThrow(/ENOENT/);
  }
});

it('takes ours by name as well as by what makes it', () => {
  const space = createSpace('macro', [36, 51, 35], {
    inputChannels: 1,
    classes: 2,
    channels: [16, 32, 64, 128, 128],
    flatLevels: 0,
  });
  const proposed = (controller: Parameters<typeof createController>[0]) =>
    createController(controller, space, 1).proposeForEvaluation(3, createRandom(1), { expectedSteps: 3, done: 0 });
  expect(proposed('random')).toEqual(proposed((...given) => createController('random', ...given)));
});
