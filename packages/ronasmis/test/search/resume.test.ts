import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import type { Progress } from '../../src/run/progress.ts';
import { readRun } from '../../src/run/read-run.ts';
import { appendEvent, writeRecord } from '../../src/run/run-folder.ts';
import { resume } from '../../src/search/resume.ts';
import { type SearchHooks, type SearchOptions, search } from '../../src/search/search.ts';
import { boxCase, straight, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { outcome } from './outcome.ts';

const root = await temporaryFolder();
const options = {
  children: 2,
  controller: 'reinforce',
  space: 'macro',
  augment: 'off',
  epochs: 2,
  folds: 3,
  fold: 0,
  device: 'cpu',
  precision: 'fp32',
  seed: 3,
} as const;
const searchInto = (out: string, hooks: SearchHooks = {}) =>
  search({ dataSet: join(root, 'Boxes'), out, ...options }, hooks);

/** Hooks that stop a search when it tells what `when` waits for. */
function stopping(when: (progress: Progress) => boolean): SearchHooks {
  const controller = new AbortController();
  const onProgress = (progress: Progress) => {
    if (when(progress)) controller.abort();
  };
  return { signal: controller.signal, onProgress };
}

let unbroken: Awaited<ReturnType<typeof outcome>>;
beforeAll(async () => {
  const random = createRandom(1);
  const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => boxCase(name, random, [16, 16, 16]));
  await writeDataSet(join(root, 'Boxes'), cases);
  await searchInto(join(root, 'unbroken'));
  unbroken = await outcome(join(root, 'unbroken'));
}, 60_000);

describe('a search that is stopped and resumed ends as an unbroken one of the same seed', () => {
  const moments: [string, (progress: Progress) => boolean][] = [
    ['before its first step is finished', ({ phase, step, done }) => phase === 'train' && step === 1 && done === 2],
    ['in the training of a later step', ({ phase, step, done }) => phase === 'train' && step === 2 && done === 2],
    ['while it evaluates', ({ phase, step, done }) => phase === 'evaluate' && step === 2 && done === 0],
    [
      'right after its last step',
      ({ phase, step, reward }) => phase === 'evaluate' && step === 2 && reward !== undefined,
    ],
    ['while it predicts the test cases', ({ phase }) => phase === 'final'],
  ];
  it.each(moments)('%s', async (_, when) => {
    const folder = await mkdtemp(join(root, 'stopped-'));
    const hooks = stopping(when);
    await expect(searchInto(folder, hooks)).rejects.toMatchObject({ name: 'AbortError' });
    expect(hooks.signal?.aborted).toBe(true);
    expect((await readRun(folder)).report).toBeUndefined();
    await resume(folder);
    expect(await outcome(folder)).toEqual(unbroken);
  });

  it('between an event and its checkpoint', async () => {
    const folder = await mkdtemp(join(root, 'stopped-'));
    const hooks = stopping(({ phase, step }) => phase === 'train' && step === 2);
    await expect(searchInto(folder, hooks)).rejects.toMatchObject({ name: 'AbortError' });
    // What a kill leaves there: an event of a step that the checkpoint knows nothing of.
    const [event] = (await readRun(folder)).events;
    await appendEvent(folder, { ...event, step: 2, loss: 123 });
    await resume(folder);
    expect(await outcome(folder)).toEqual(unbroken);
  });
});

describe('so does one by another controller, or in another space', () => {
  const { augmentation, training } = defaultRecipe;
  // At so high a rate the loss falls, but the Dice does not rise at first.
  const impatient = {
    ...defaultRecipe,
    augmentation: { ...augmentation, patience: 1 },
    training: { ...training, learning_rate: 0.03 },
  };
  const others: [string, Partial<SearchOptions>][] = [
    ['ppo', { controller: 'ppo' }],
    ['random', { controller: 'random' }],
    // Two steps fill the population, so the third is bred of what the first process evaluated.
    ['evolution', { controller: 'evolution', children: 20 }],
    ['micro', { space: 'micro' }],
    ['micro by evolution', { space: 'micro', controller: 'evolution', children: 20 }],
    ['fixed', { space: 'fixed', children: 20 }],
    ['augmented', { augment: 'on' }],
    ['augmented by itself', { augment: 'auto', recipe: impatient }],
  ];
  it.each(others)('%s', async (name, other) => {
    const settings = { dataSet: join(root, 'Boxes'), ...options, epochs: 3, ...other };
    await search({ ...settings, out: join(root, name) });
    const folder = join(root, `stopped ${name}`);
    const stopped = search(
      { ...settings, out: folder },
      stopping(({ phase, step }) => phase === 'train' && step === 3),
    );
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    await resume(folder);
    expect(await outcome(folder)).toEqual(await outcome(join(root, name)));
    const { controller, space, augment, children } = { ...options, ...other };
    expect((await readRun(folder)).run.settings).toMatchObject({ controller, space, augment, children });
  });
});

describe('a search in the fixed space', () => {
  it('trains and evaluates the base child alone, once a step', async () => {
    const { events, architecture } = await outcome(join(root, 'fixed'));
    expect(events).toHaveLength(3);
    for (const { children, entropy } of events) {
      expect(children.map((child) => child.architecture)).toEqual([architecture]);
      expect(entropy).toBe(0);
    }
    const decoder = [[0], [1], [2], [3]].map((skips) => ({ skips }));
    expect(architecture).toMatchObject({ space: 'macro', encoder: Array(5).fill({ dilation: 1 }), decoder });
  });
});

it('an augmented search trains on other patches than one that mirrors alone', async () => {
  const { events } = await outcome(join(root, 'augmented'));
  expect(events[0].loss).not.toBe(unbroken.events[0].loss);
});

it('a search that augments by itself begins to where the Dice does not rise and the loss falls', async () => {
  const { events } = await outcome(join(root, 'augmented by itself'));
  expect(events.map(({ augmented }) => augmented)).toEqual([false, false, true]);
});

it('another seed is another search', async () => {
  const folder = join(root, 'other seed');
  await search({ dataSet: join(root, 'Boxes'), out: folder, ...options, epochs: 1, seed: 4 });
  expect((await readRun(folder)).events[0].loss).not.toBe(unbroken.events[0].loss);
});

it('is refused where it was begun by a version that did not resample scans, and some would be now', async () => {
  const random = createRandom(2);
  const cases = ['a', 'b', 'c', 'd'].map((name) => {
    const { image, label } = boxCase(name, random, [16, 16, name === 'd' ? 8 : 16]);
    const affine = straight(1, 1, name === 'd' ? 2 : 1);
    return { name, image: { ...image, affine }, label: { ...label, affine } };
  });
  const dataSet = await writeDataSet(join(root, 'Two spacings'), cases);
  const folder = join(root, 'older');
  const stopped = search(
    { ...options, dataSet, out: folder },
    stopping(({ phase }) => phase === 'train'),
  );
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  const { spacing, ...older } = (await readRun(folder)).run;
  expect(spacing).toEqual([1, 1, 1]);
  await writeRecord(folder, 'run.json', older);
  await expect(resume(folder)).rejects.toThrow(/older was begun by a version that left every scan at its own spacing/);
});
