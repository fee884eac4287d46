import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '@ronasmis/libtorch';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { createRandom } from '../../src/base/random.ts';
import { loadModel } from '../../src/inference/model.ts';
import type { Progress } from '../../src/run/progress.ts';
import { readRun } from '../../src/run/read-run.ts';
import type { TrainingOptions } from '../../src/search/options.ts';
import { resume } from '../../src/search/resume.ts';
import { trainArchitecture } from '../../src/search/train-architecture.ts';
import { microSpace } from '../../src/space/micro.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { outcome } from './outcome.ts';
import { tinyContext } from './tiny-context.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Boxes');
const options = (out: string): TrainingOptions => ({
  dataSet,
  out: join(root, out),
  epochs: 2,
  folds: 3,
  device: 'cpu',
  precision: 'fp32',
});
const { base } = tinyContext.space;
if (base.space !== 'macro') throw new Error('These are tests of the macro space.');
/** As no space has it: a patch of 12 slices, and a dilated level whose kernel goes through a matrix of taps. */
const byHand: ChildArchitecture = {
  ...base,
  patch: { depth: 12, height: 16, width: 16 },
  decoder: base.decoder.map((level, at) => (at === 0 ? { ...level, dilation: 2 as const, skips: [0, 1] } : level)),
};

beforeAll(async () => {
  const random = createRandom(1);
  await writeDataSet(
    dataSet,
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => boxCase(name, random, [16, 16, 16])),
  );
});

describe.each([
  ['macro', byHand],
  ['micro', microSpace([16, 16, 16], tinyContext.dimensions).base],
])('one network of the %s space', (name, architecture) => {
  it('is trained and left as a search leaves its result, the same where it was stopped', async () => {
    const { report } = await trainArchitecture(architecture, options(name));
    const unbroken = await outcome(join(root, name));
    expect(unbroken.architecture).toEqual(architecture);
    expect(unbroken.events.map(({ step, children }) => [step, children.map((child) => child.architecture)])).toEqual([
      [1, [architecture]],
      [2, [architecture]],
    ]);
    expect(unbroken.events.map(({ entropy, baseline }) => [entropy, baseline])).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(Object.keys(report.test_dice.cases)).toHaveLength(2);
    expect((await readRun(join(root, name))).run.settings.only_child).toEqual(architecture);
    expect((await loadModel(join(root, name), 'cpu')).architecture).toEqual(architecture);

    const stop = new AbortController();
    const onProgress = ({ phase, step, done }: Progress): void => {
      if (phase === 'train' && step === 2 && done === 1) stop.abort();
    };
    const hooks = { signal: stop.signal, onProgress };
    const stopped = trainArchitecture(architecture, options(`${name} stopped`), hooks);
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    // It has the weights of its own path, and no others.
    const { tensors } = await readSafetensors(join(root, `${name} stopped`, 'checkpoint.safetensors'));
    const skips = [...tensors.keys()].filter((key) => key.startsWith('weights/decoder.0.skip'));
    expect(skips).toEqual(architecture.decoder[0].skips.map((from) => `weights/decoder.0.skip${from}`));
    await resume(join(root, `${name} stopped`));
    expect(await outcome(join(root, `${name} stopped`))).toEqual(unbroken);
  });
});

describe('a network that does not fit is refused before it is trained, and leaves nothing', () => {
  it('with a patch that is larger than the scans', async () => {
    const wide = { ...byHand, patch: { depth: 16, height: 16, width: 32 } };
    await expect(trainArchitecture(wide, options('wide'))).rejects.toThrow(
      /patch of 16 x 16 x 32 voxels .* largest have 16 x 16 x 16 .*: make its patch smaller\.$/,
    );
    expect(existsSync(join(root, 'wide'))).toBe(false);
  });

  it('that takes more memory than there is', async () => {
    const little = { ...options('little'), memoryBytes: 300 * 2 ** 20 };
    await expect(trainArchitecture(byHand, little)).rejects.toThrow(/too small: with these scans, this network takes/);
    expect(existsSync(join(root, 'little'))).toBe(false);
  });
});
