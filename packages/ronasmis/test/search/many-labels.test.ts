import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argmax, argmaxLabels, confusionMatrix, noGradient, scope, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { createRandom, type Random } from '../../src/base/random.ts';
import { readNifti } from '../../src/formats/nifti.ts';
import { predict } from '../../src/inference/predict.ts';
import { forward } from '../../src/network/forward.ts';
import { composedLoss, networkLoss } from '../../src/network/loss.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { readRun } from '../../src/run/read-run.ts';
import { search } from '../../src/search/search.ts';
import { createSearchState } from '../../src/search/state.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { chirp } from '../chirp.ts';
import { type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { chirpLabel, supervisedLevels } from '../network/peer.ts';
import { toldIn } from '../report/content.ts';
import { tinyContext } from './tiny-context.ts';

const root = await temporaryFolder();
const edge = 16;
const voxels = edge ** 3;

/** The label value of a class, spread over all that a uint8 holds. */
const valueOfClass = (label: number, classes: number): number => Math.round((255 * label) / (classes - 1));

/** Blocks of 4 x 4 x 4 voxels, each of another class as far as classes go; each channel is bright in some of the classes. */
function blockCase(name: string, random: Random, channels: number, classes: number): TestCase {
  const classAt = (voxel: number): number => {
    const [x, y, z] = [voxel % edge, Math.floor(voxel / edge) % edge, Math.floor(voxel / edge ** 2)];
    return (Math.floor(x / 4) + 4 * Math.floor(y / 4) + 16 * Math.floor(z / 4)) % classes;
  };
  const image = Int16Array.from({ length: channels * voxels }, (_, i) => {
    const bright = (classAt(i % voxels) >> (Math.floor(i / voxels) % 6)) & 1;
    return 100 + 300 * bright + random.integer(50);
  });
  const label = Uint8Array.from({ length: voxels }, (_, voxel) => valueOfClass(classAt(voxel), classes));
  const shape = [edge, edge, edge];
  return { name, image: { shape: [...shape, channels], data: image }, label: { shape, data: label } };
}

test('label values that no float32 can tell apart are learnt, scored and drawn apart', async () => {
  const folder = join(root, 'atlas');
  const values = [0, 16_777_216, 16_777_217, 576_073_733];
  const atlas = (name: string, random: Random): TestCase => {
    const { image, label } = blockCase(name, random, 2, 4);
    return { name, image, label: { ...label, data: Int32Array.from(label.data, (value) => values[value / 85]) } };
  };
  const random = createRandom(1);
  await writeDataSet(
    folder,
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => atlas(name, random)),
    {
      modality: { 0: 'one', 1: 'two' },
      labels: Object.fromEntries(values.map((value, i) => [value, i === 0 ? 'background' : `area ${i}`])),
    },
  );
  const run = join(root, 'run of an atlas');
  const settings = { folds: 3, epochs: 12, children: 1, device: 'cpu', precision: 'fp32', space: 'fixed' } as const;
  await search({ dataSet: folder, out: run, ...settings });
  const { report } = await readRun(run);
  const dice = Object.entries(report?.test_dice.classes ?? {});
  expect(dice.map(([value]) => Number(value))).toEqual(values.slice(1));
  for (const [, mean] of dice) expect(mean).toBeGreaterThan(0.3);
  const page = await readFile(join(run, 'report.html'), 'utf8');
  const contours = toldIn(page).examples.flatMap(({ slices }) => slices.flatMap((slice) => slice.contours));
  for (const index of [0, 1, 2]) expect(contours).toContainEqual(expect.objectContaining({ kind: 'reference', index }));
  const out = join(root, 'predictions of an atlas');
  await predict({ run, inputs: [join(folder, 'imagesTr', 'a.nii.gz')], out, device: 'cpu', precision: 'fp32' });
  expect(new Set((await readNifti(join(out, 'a.nii.gz'))).data)).toEqual(new Set(values));
});

describe('a data set with', () => {
  it.each([
    { channels: 1, classes: 2 },
    { channels: 8, classes: 64 },
    { channels: 9, classes: 65 },
  ])('$channels channels and $classes classes is searched, reported and segmented', async ({ channels, classes }) => {
    const folder = join(root, `${classes} classes`);
    const random = createRandom(1);
    const cases = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => blockCase(name, random, channels, classes));
    await writeDataSet(folder, cases, {
      modality: Object.fromEntries(Array.from({ length: channels }, (_, channel) => [channel, `channel ${channel}`])),
      labels: Object.fromEntries(
        Array.from({ length: classes }, (_, at) => [valueOfClass(at, classes), `class ${at}`]),
      ),
    });
    const run = join(root, `run of ${classes}`);
    const settings = {
      children: 1,
      controller: 'random',
      space: 'fixed',
      augment: 'off',
      folds: 3,
      fold: 0,
      seed: 1,
    } as const;
    await search({ dataSet: folder, out: run, ...settings, epochs: 3, device: 'cpu', precision: 'fp32' });
    const files = await readRun(run);
    expect(files.run.network).toMatchObject({ input_channels: channels, classes });
    const values = Array.from({ length: classes - 1 }, (_, at) => valueOfClass(at + 1, classes));
    expect(values.at(-1)).toBe(255);
    expect(Object.keys(files.report?.test_dice.classes ?? {}).map(Number)).toEqual(values);
    expect(files.report?.validation_dice.mean).toBeGreaterThan(1.5 / classes);
    expect(files.events[2].loss).toBeLessThan(files.events[0].loss);

    const out = join(root, `predictions of ${classes}`);
    await predict({ run, inputs: [join(folder, 'imagesTr', 'a.nii.gz')], out, device: 'cpu', precision: 'fp32' });
    const found = [...new Set((await readNifti(join(out, 'a.nii.gz'))).data)];
    expect(found.filter((value) => value !== 0 && !values.includes(value))).toEqual([]);
    expect(found.length).toBeGreaterThan(1);
  });
});

test("for 1 to 8 channels and 2 to 64 classes, the network's loss, labels and confusion matrix are libtorch's own", () => {
  const anyNetwork = fc.record({
    inputChannels: fc.integer({ min: 1, max: 8 }),
    classes: fc.oneof(fc.integer({ min: 2, max: 64 }), fc.constantFrom(2, 64)),
  });
  fc.assert(
    fc.property(anyNetwork, ({ inputChannels, classes }) => {
      const dimensions = { ...tinyContext.dimensions, inputChannels, classes };
      const space = macroSpace([edge, edge, edge], dimensions);
      const { weights } = createSearchState({ ...tinyContext, dimensions, space }, 'random', 1).trainer;
      noGradient(() =>
        scope(() => {
          const network = networkOf(space.base, dimensions);
          const logits = forward(network, weights, chirp([1, inputChannels, edge, edge, edge], 1), {
            deepSupervision: true,
          });
          const label = tensor(chirpLabel(voxels, classes, 3), [1, edge, edge, edge]);
          const levels = supervisedLevels.map((level, i) => {
            const stride = 2 ** level;
            return { logits: logits[i], stride: [stride, stride, stride] as const, weight: [4, 2, 1][i] / 7 };
          });
          expect(networkLoss(network, logits, label).item()).toBeCloseTo(composedLoss(levels, label).item(), 4);
          const found = argmaxLabels(logits[0]);
          expect(found.toNumbers()).toEqual(argmax(logits[0], 1).toNumbers());
          const counts = confusionMatrix(found, label, classes).toNumbers();
          const expected = Array.from({ length: classes ** 2 }, () => 0);
          const predicted = found.toNumbers();
          label.toNumbers().forEach((value, voxel) => {
            expected[value * classes + predicted[voxel]] += 1;
          });
          expect(counts).toEqual(expected);
        }),
      );
    }),
    { numRuns: 25 },
  );
});
