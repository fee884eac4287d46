import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { createRandom, normal } from '../../src/base/random.ts';
import type { Voxels } from '../../src/base/voxels.ts';
import { checkDataSet } from '../../src/data/check.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { clipOutliers, clipWarnings } from '../../src/data/outliers.ts';
import { readScan } from '../../src/data/read-scan.ts';
import { readNifti } from '../../src/formats/nifti.ts';
import { gridAt, type Volume } from '../../src/formats/volume.ts';
import { prepareDataSet, imageOf as preparedImage } from '../../src/preparation/prepare.ts';
import { boxCase, realDataSets, straight, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const folder = await temporaryFolder();
const shape: Triple = [25, 20, 30];
const size = 15_000;

const volume = (data: Voxels, channels = 1): Volume => ({
  ...gridAt(shape, channels, straight()),
  file: 'a.nii.gz',
  data,
  prefix: new Uint8Array(),
});

/** Values that `draw` makes, with some replaced: so many of each value, evenly spread. */
function image(draw: (i: number) => number, ...replaced: readonly (readonly [value: number, count: number])[]) {
  const data = Float32Array.from({ length: size }, (_, i) => draw(i));
  replaced.forEach(([value, count], which) => {
    for (let k = 0; k < count; k++) data[Math.floor((k * size) / count) + 7 + which] = value;
  });
  return data;
}

const random = createRandom(1);
/** An MRI of 0 to 300. */
const mri = () => 1 + random.integer(300);
const background = (draw: () => number) => (i: number) => (i % 3 === 0 ? draw() : 0);

describe('an impossible intensity is clipped to where the others lie', () => {
  it.each<[string, Float32Array, number]>([
    ['3e38', image(mri, [3e38, 1]), 3e38],
    ['1e30 in twenty voxels', image(mri, [1e30, 20]), 1e30],
    ['-1e20', image(mri, [-1e20, 1]), -1e20],
    ['a stuck pixel', image(mri, [65535, 1]), 65535],
    ['a stuck pixel in every slice', image(mri, [65535, 12]), 65535],
    ['a stuck pixel in a scan that is mostly 0', image(background(mri), [65535, 3]), 65535],
    ['a stuck pixel in a hundredth of all voxels', image(mri, [65535, 150]), 65535],
    ['a stuck plane', image((i) => (i % 20 ? mri() : 1e10)), 1e10],
    ['a slab of -32768', image((i) => (i % 12 ? mri() : -32768)), -32768],
    ['both ends', image(mri, [-5e5, 1], [1e6, 1]), 1e6],
    ['a third of all voxels, as padding of the lowest float32', image((i) => (i % 3 ? mri() : -3.4e38)), -3.4e38],
    ['a CT', image(() => -1000 + random.integer(2500), [1e8, 2]), 1e8],
  ])('%s', (_, data, farthest) => {
    const before = data.slice();
    const { volume: clipped, clips } = clipOutliers(volume(data));
    expect(clips).toMatchObject([{ channel: 0, farthest: Math.fround(farthest) }]);
    const [{ low, high }] = clips;
    const usual = before.filter((value) => Math.abs(value) <= 2000 && value !== 0).sort();
    expect(low).toBeGreaterThanOrEqual(usual[0]);
    expect(low).toBeLessThanOrEqual(usual[Math.ceil(0.01 * usual.length)]);
    expect(high).toBeLessThanOrEqual(usual[usual.length - 1]);
    expect(high).toBeGreaterThanOrEqual(usual[Math.floor(0.99 * usual.length)]);
    const { data: values } = clipped;
    expect(values).toEqual(before.map((value) => value && Math.min(high, Math.max(low, value))));
    // What was given stays as it is, and nothing is left to be clipped.
    expect(data).toEqual(before);
    expect(clipOutliers(clipped).volume).toBe(clipped);
  });

  it('in its own channel, and whatever the type', () => {
    const data = Uint16Array.from({ length: 2 * size }, mri);
    data[size + 5] = 65535;
    const { volume: clipped, clips } = clipOutliers(volume(data, 2));
    expect(clips).toMatchObject([{ channel: 1, farthest: 65535 }]);
    expect(clipped.data).toBeInstanceOf(Uint16Array);
    expect(clipped.data.subarray(0, size)).toEqual(data.subarray(0, size));
    expect(clipped.data[size + 5]).toBe(clips[0].high);
    expect(clipWarnings('a.nii.gz', clips, () => true).map(({ message }) => message)).toEqual([
      `a.nii.gz: it holds an intensity of 65535 in channel 1, where nearly all lie within ${clips[0].low} to ${clips[0].high}: the channel is clipped to that range. Check where it comes from.`,
    ]);
  });
});

describe('a scan as scanners make it is not touched', () => {
  it.each<[string, Float32Array]>([
    ['an MRI with a long tail', image(() => Math.exp(5 + normal(random)), [20_000, 3])],
    ['a CT with padding of -32768', image((i) => (i % 5 ? -1000 + random.integer(2000) : -32768))],
    ['a CT with little padding of -32768', image(() => -1000 + random.integer(2500), [-32768, 5])],
    ['a CT with metal', image(() => -1000 + random.integer(2500), [3071, 40], [32767, 4])],
    ['uptakes of a PET', image(() => random.integer(2) / 10 + 0.01, [150, 4])],
    ['probabilities', image(() => 1e-7, [1, 4])],
    ['what is constant but for a few voxels', image(() => 100, [2000, 3])],
    ['a background that was interpolated', image((i) => (i % 3 ? 1e-12 * normal(random) : mri()))],
    ['few voxels', image(() => 0, [3e38, 40])],
    ['voxels that are all beyond what scanners make', image(() => 1e20 * (1 + normal(random)))],
    ['a voxel that is no number', image(mri, [Number.NaN, 1], [3e38, 1])],
  ])('%s', (_, data) => {
    const given = volume(data);
    expect(clipOutliers(given).clips.filter(({ isClipped }) => isClipped)).toEqual([]);
    expect(clipOutliers(given).volume).toBe(given);
  });
});

describe('where outliers may be right, they are named alone', () => {
  it.each<[string, Float32Array, number]>([
    ['one of 900 in a scan of 0 to 1', image(() => random.uniform(), [900, 1]), 900],
    ['a slab of -32768 in an MRI of 0 to 1200', image((i) => (i % 12 ? random.integer(1200) : -32768)), -32768],
  ])('%s', (_, data, farthest) => {
    const given = volume(data);
    const { volume: left, clips } = clipOutliers(given);
    expect(left === given).toBe(true);
    expect(clips).toMatchObject([{ farthest, isClipped: false }]);
    expect(clipWarnings('a', clips, () => true)[0].message).toMatch(/z-scored, such voxels leave little of all others/);
    expect(clipWarnings('a', clips, () => false)).toEqual([]);
  });

  it.each<[string, Float32Array]>([
    ['a bladder of a PET', image(() => 100 + random.integer(3000), [250_000, 4])],
    ['sparse probabilities', image(() => random.uniform() / 1e6, [1, 30])],
    ['heavy tails', image(() => Math.exp(3 + normal(random)))],
  ])('and not %s', (_, data) => expect(clipOutliers(volume(data)).clips).toEqual([]));
});

describe('the voxels that are looked at lie in no pattern of the grid', () => {
  const grids = [
    [91, 109, 91],
    [35, 51, 35],
    [320, 320, 20],
  ];
  /** A head of 200 to 1200 in the middle half of each axis; around it, what `air` makes. */
  const head = ([width, height, depth]: readonly number[], air: () => number): Volume => {
    const inside = (i: number, length: number) => i > length / 4 && i < (3 * length) / 4;
    const data = new Float32Array(width * height * depth).map((_, i) => {
      const [x, y, z] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
      return inside(x, width) && inside(y, height) && inside(z, depth) ? 200 + random.integer(1000) : air();
    });
    return { ...volume(data), shape: [depth, height, width] };
  };

  it.each(grids)('%d x %d x %d: faint noise around is not all that there is', (...grid) => {
    const healthy = head(grid, () => 1 + random.integer(5));
    expect(clipOutliers(healthy).clips).toEqual([]);
  });

  it.each(grids)('%d x %d x %d: nor is the 0 around', (...grid) => {
    const spoiled = head(grid, () => 0);
    spoiled.data[Math.floor(spoiled.data.length / 2)] = 3e38;
    expect(clipOutliers(spoiled).clips).toHaveLength(1);
  });
});

it('holds for a data set and for a scan alone: the prepared image is that of the clipped one', async () => {
  const cases = ['a', 'b', 'c', 'd'].map((name, i) => boxCase(name, createRandom(i), [20, 20, 20]));
  const spoiled = ({ image: { data, ...rest }, ...one }: TestCase, value: number): TestCase => ({
    ...one,
    image: { ...rest, data: Float64Array.from(data).fill(value, 3000, 3001) },
  });
  await writeDataSet(folder, [spoiled(cases[0], 3e38), spoiled(cases[1], 250), ...cases.slice(2)]);
  const dataSet = await readDataSet(folder);
  const { problems, fingerprint } = await checkDataSet(dataSet, { folds: 3 });
  expect(problems.map(({ message }) => message.replaceAll(folder, '.'))).toEqual([
    expect.stringMatching(
      /^\.\/imagesTr\/a\.nii\.gz: it holds an intensity of 3e\+38 in channel 0, where nearly all lie within \d+ to \d+: /,
    ),
  ]);
  expect(fingerprint?.intensities[0].max).toBeLessThan(501);
  const prepared = await prepareDataSet(dataSet, { folds: 3, cacheFolder: join(folder, 'cache') });
  const [spoiledImage, soundImage] = prepared.cases.map(preparedImage);
  for (const values of [spoiledImage, soundImage]) {
    expect(values.reduce((sum, value) => sum + value ** 2, 0) / values.length).toBeCloseTo(1, 3);
    expect(Math.max(...values)).toBeLessThan(3);
  }
  const { volume: alone } = await readScan(dataSet.cases[0].images);
  expect(alone.data).toEqual(clipOutliers(await readNifti(dataSet.cases[0].images[0])).volume.data);
});

it.skipIf(realDataSets.length === 0)(
  'no real scan is touched (needs RONASMIS_TEST_DATA)',
  async () => {
    for (const real of realDataSets) {
      for (const name of await readdir(join(real, 'imagesTr'))) {
        const { clips } = clipOutliers(await readNifti(join(real, 'imagesTr', name)));
        expect(clips, `${real} ${name}`).toEqual([]);
      }
    }
  },
  120_000,
);
