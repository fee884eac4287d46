import { existsSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { noGradient, scope, type Tensor } from '@ronasmis/libtorch';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Architecture } from '../../src/architecture/architecture.ts';
import { createRandom } from '../../src/base/random.ts';
import { loadModel } from '../../src/inference/model.ts';
import { forward } from '../../src/network/forward.ts';
import type { Network } from '../../src/network/network.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { networkWeights, type Weights } from '../../src/network/weights.ts';
import { defaultRecipe, type Recipe } from '../../src/recipe/recipe.ts';
import type { Progress } from '../../src/run/progress.ts';
import { readRun } from '../../src/run/read-run.ts';
import { runKey } from '../../src/run/run-key.ts';
import { type SearchOptions, withDefaults } from '../../src/search/options.ts';
import { resume } from '../../src/search/resume.ts';
import { type SearchHooks, search } from '../../src/search/search.ts';
import { openSearch, openTraining } from '../../src/search/setup.ts';
import { chirp } from '../chirp.ts';
import { boxCase, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { outcome } from './outcome.ts';

const root = await temporaryFolder();
const inRoot = (name: string): string => join(root, name);
/** The default one, of a narrow network. */
const recipe: Recipe = { ...defaultRecipe, network: { ...defaultRecipe.network, widths: [4] } };
const common = { folds: 3, device: 'cpu', precision: 'fp32', recipe } as const;
const optionsFor = (dataSet: string, out: string): SearchOptions => ({
  ...common,
  dataSet: inRoot(dataSet),
  out: inRoot(out),
  children: 2,
  epochs: 1,
});
const boxes = (out: string): SearchOptions => optionsFor('Boxes', out);

/** A run that was stopped before it had trained anything, and what it said before. */
async function begin(options: SearchOptions): Promise<readonly string[]> {
  const said: string[] = [];
  const hooks: SearchHooks = { onStart: ({ warnings }) => said.push(...warnings) };
  const { release } = await openSearch(withDefaults(options), hooks);
  await release();
  return said;
}

const logits = (network: Network, weights: Weights, image: Tensor): readonly number[] =>
  noGradient(() => scope(() => forward(network, networkWeights(network, weights, 'float32'), image)[0].toNumbers()));

let found: Architecture;
beforeAll(async () => {
  const random = createRandom(1);
  const named = (channels: number) =>
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => boxCase(name, random, [16, 16, 16], channels));
  await writeDataSet(inRoot('Boxes'), named(1));
  await writeDataSet(inRoot('Two channels'), named(2), {
    modality: { 0: 'CT', 1: 'MRI' },
    labels: { 0: 'background', 1: 'core', 2: 'shell' },
  });
  ({ architecture: found } = await search(boxes('earlier')));
});

describe('the training of the network that a run has found', () => {
  it('begins with all of its weights: the same logits, to the bit, by its weights and by their average', async () => {
    const { network, weights } = await loadModel(inRoot('earlier'), 'cpu');
    const image = chirp([1, 1, 16, 16, 16], 1);
    const expected = logits(network, weights, image);
    const { state, context, release } = await openTraining(
      found,
      { ...common, dataSet: inRoot('Boxes'), out: inRoot('bits'), epochs: 1, from: inRoot('earlier') },
      {},
    );
    const own = networkOf(found, context.dimensions);
    expect(logits(own, state.trainer.weights, image)).toEqual(expected);
    expect(logits(own, state.trainer.averaged, image)).toEqual(expected);
    await release();
    const { run } = await readRun(inRoot('bits'));
    const key = runKey((await readRun(inRoot('earlier'))).run);
    expect(run.settings.from).toEqual({ run: inRoot('earlier'), key });
    // The heads of deep supervision are no part of what a run leaves.
    expect(run.taken_over).toEqual({ taken: network.parameters.length, adapted: 0, drawn_anew: 4 });
  });
});

describe('a search from an earlier run', () => {
  const from = inRoot('earlier');
  beforeAll(async () => {
    await search({ ...boxes('one'), from });
  }, 60_000);

  it('begins where that has ended', async () => {
    const [before, after] = await Promise.all(['earlier', 'one'].map((out) => outcome(inRoot(out))));
    expect(after.events[0].loss).toBeLessThan(before.events[0].loss);
    expect((await readRun(from)).run).not.toHaveProperty('taken_over');
  });

  it('is the same of the same seed, also where it was stopped before its first step was finished', async () => {
    // All that it has found has its place among the weights that children share.
    expect((await begin({ ...boxes('stopped'), from })).filter((said) => said.includes('taken over'))).toEqual([]);
    await resume(inRoot('stopped'));
    expect(await outcome(inRoot('stopped'))).toEqual(await outcome(inRoot('one')));
  });

  it('of other channels and classes adapts the first kernel and the head', async () => {
    expect(await begin({ ...optionsFor('Two channels', 'adapted'), from })).not.toContainEqual(
      expect.stringContaining('taken over'),
    );
    const { taken_over } = (await readRun(inRoot('adapted'))).run;
    const { parameters } = (await loadModel(from, 'cpu')).network;
    expect(taken_over).toMatchObject({ taken: parameters.length - 3, adapted: 3 });
  });

  it('says what it has no place for', async () => {
    // Of cells, the ways between levels and the head fit.
    expect(await begin({ ...boxes('micro'), space: 'micro', from })).toContainEqual(
      expect.stringMatching(
        /^\d+ of the \d+ weights of .*earlier are not taken over, for they have another shape or no place here: encoder\.0\.conv1, .* and \d+ more\.$/,
      ),
    );
  });

  it('refuses a run of which nothing fits', async () => {
    const wider = { ...recipe, network: { ...recipe.network, widths: [5] } };
    await expect(begin({ ...boxes('wider'), recipe: wider, from })).rejects.toThrow(
      /^--from .*earlier: its network has no kernel in common with those of this run, which are of another space or width\. .* --from\.$/,
    );
    expect(existsSync(inRoot('wider'))).toBe(false);
  });
});

describe('once the earlier run is another one, or gone', () => {
  const from = inRoot('copy');
  beforeAll(async () => {
    await cp(inRoot('earlier'), from, { recursive: true });
    await begin({ ...boxes('without a step'), from });
    const stop = new AbortController();
    const onProgress = ({ phase }: Progress): void => {
      if (phase === 'final') stop.abort();
    };
    const stopped = search({ ...boxes('with a step'), from }, { signal: stop.signal, onProgress });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  }, 60_000);

  it('a run without a finished step says that it has to start from it again', async () => {
    const file = join(from, 'run.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"seed": 1', '"seed": 2'));
    await expect(resume(inRoot('without a step'))).rejects.toThrow(
      /^.*without a step was stopped in its first step, and has to start from .*copy again, which is another run now: put it back, or search again into a new folder\.$/,
    );
    await rm(from, { recursive: true });
    await expect(resume(inRoot('without a step'))).rejects.toThrow(
      /copy again, which can't be used \(.*copy is no run folder, .* search --out\): put it back, or search again into a new folder\.$/,
    );
  });

  it('one with a step goes on without it', async () => {
    await resume(inRoot('with a step'));
    expect((await outcome(inRoot('with a step'))).dice).toEqual((await outcome(inRoot('one'))).dice);
  });
});

it('begins at the Dice where the earlier run has ended, far above that of fresh weights', async () => {
  const random = createRandom(1);
  const bright = ['a', 'b', 'c', 'd', 'e', 'f'].map((name): TestCase => {
    const { image, label } = boxCase(name, random, [16, 16, 16]);
    const data = Int16Array.from(image.data, (value, at) => value + 500 * label.data[at]);
    return { name, label, image: { ...image, data } };
  });
  await writeDataSet(inRoot('Bright'), bright);
  const fixed = { ...optionsFor('Bright', 'learns'), space: 'fixed' } as const;
  const { report } = await search({ ...fixed, epochs: 6 });
  const end = report.validation_dice.mean ?? 0;
  // Steps that change next to nothing: what is evaluated after them is what the run has begun with.
  const idle = { ...recipe, training: { ...recipe.training, learning_rate: 1e-9, weight_decay: 0 } };
  const first = async (out: string, from?: string): Promise<number> => {
    await search({ ...fixed, out: inRoot(out), recipe: idle, ...(from !== undefined && { from }) });
    return (await readRun(inRoot(out))).events[0].reward_mean ?? Number.NaN;
  };
  expect(await first('goes on', inRoot('learns'))).toBeCloseTo(end, 3);
  expect(await first('fresh')).toBeLessThan(end / 2);
}, 60_000);
