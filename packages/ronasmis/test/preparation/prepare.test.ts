import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeEach, expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { readOwnLabel } from '../../src/data/cropped-label.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { maskedZScore, zScore } from '../../src/data/normalisation.ts';
import type { Affine } from '../../src/formats/affine.ts';
import { readNifti, writeNifti } from '../../src/formats/nifti.ts';
import { turnBetween, turnTo, turnVolume, unturned } from '../../src/formats/orientation.ts';
import { imageOf, isResampled, labelOf, prepareDataSet } from '../../src/preparation/prepare.ts';
import { prepareImage } from '../../src/preparation/prepared-image.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import {
  ballCase,
  boxCase,
  straight,
  type TestCase,
  temporaryFolder,
  writeDataSet,
  writeStated,
} from '../formats/scans.ts';

const root = await temporaryFolder();
const folder = join(root, 'boxes');
const cacheFolder = join(root, 'cache');
const random = createRandom(1);

beforeEach(() => rm(folder, { recursive: true, force: true }));

/** 4 x 3 x 2 voxels of two channels, with zeros around x 1..2, y 1..2 in both; label values 0, 300 and 2. */
function smallCase(name: string): TestCase {
  const image = new Int16Array(48);
  const label = new Uint16Array(24);
  let next = 0;
  for (const channel of [0, 1]) {
    for (const z of [0, 1]) {
      for (const y of [1, 2]) {
        for (const x of [1, 2]) {
          const voxel = (z * 3 + y) * 4 + x;
          image[channel * 24 + voxel] = (++next) ** 2;
          if (x === 2) label[voxel] = y === 1 ? 300 : 2;
        }
      }
    }
  }
  const affine = straight(1, 2, 5);
  return {
    name,
    image: { shape: [4, 3, 2, 2], data: image, affine },
    label: { shape: [4, 3, 2], data: label, affine },
  };
}

const small = { modality: { 0: 'T1', 1: 'T2' }, labels: { 0: 'background', 300: 'far', 2: 'near' } };

test('a case is cropped to what is not 0, z-scored channel by channel, its labels made class indices', async () => {
  await writeDataSet(folder, [smallCase('a'), smallCase('b')], small);
  const { cases } = await prepareDataSet(await readDataSet(folder), { folds: 2, cacheFolder });
  const [first] = cases;
  expect(first).toMatchObject({ name: 'a', channels: 2, shape: [2, 2, 2], spacing: [5, 2, 1] });
  expect(first.crop).toEqual({ offset: [0, 1, 1], shape: [2, 2, 2], scanShape: [2, 3, 4] });
  expect([...labelOf(first)]).toEqual([0, 2, 0, 1, 0, 2, 0, 1]);
  expect([...first.foreground]).toEqual([1, 3, 5, 7]);
  // numpy 2.4: v = numpy.arange(1, 9) ** 2; (v - v.mean()) / v.std(); and the same of numpy.arange(9, 17) ** 2
  const expected = [
    -1.1598, -1.0178, -0.7811, -0.4497, -0.0237, 0.4971, 1.1124, 1.8225, -1.4008, -1.0702, -0.7048, -0.3045, 0.1305,
    0.6004, 1.105, 1.6445,
  ];
  const image = imageOf(first);
  expected.forEach((value, i) => {
    expect(image[i]).toBeCloseTo(value, 3);
  });
  expect(image.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test('a scan to be segmented is prepared in the same way as a case', async () => {
  await writeDataSet(folder, [smallCase('a'), smallCase('b')], small);
  const dataSet = await readDataSet(folder);
  const { cases } = await prepareDataSet(dataSet, { folds: 2, cacheFolder });
  const { image, crop } = prepareImage(await readNifti(dataSet.cases[0].images[0]), [zScore, zScore]);
  expect(image).toEqual(imageOf(cases[0]));
  expect(crop).toEqual(cases[0].crop);
});

test('a case whose channels lie in files of their own is prepared as one that has them in one file', async () => {
  await writeDataSet(folder, ['a', 'b'].map(smallCase), small);
  const together = await prepareDataSet(await readDataSet(folder), { folds: 2, cacheFolder });
  for (const name of ['a', 'b']) {
    const whole = join(folder, 'imagesTr', `${name}.nii.gz`);
    const { shape, data, affine } = await readNifti(whole);
    for (const channel of [0, 1]) {
      const values = data.slice(channel * 24, (channel + 1) * 24);
      const file = join(folder, 'imagesTr', `${name}_000${channel}.nii.gz`);
      await writeNifti(file, { shape, data: values, affine });
    }
    await rm(whole);
  }
  const labels = { background: 0, far: 300, near: 2 };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify({ channel_names: small.modality, labels }));
  const dataSet = await readDataSet(folder);
  const apart = await prepareDataSet(dataSet, { folds: 2, cacheFolder });
  expect(apart.cases).toEqual(together.cases);
  expect(apart.fingerprint.channels).toEqual(['T1', 'T2']);

  // The second channel in another voxel order, and a third of a voxel beside the first.
  const second = join(folder, 'imagesTr', 'b_0001.nii.gz');
  const stored = await readNifti(second);
  const turned = turnVolume(stored, turnTo(stored, 'ASL'));
  const affine = turned.affine.map(([x, y, z, t], axis) => [x, y, z, axis === 2 ? t + 5 / 3 : t] as const);
  await writeNifti(second, { shape: turned.shape, data: turned.data, affine });
  const beside = await prepareDataSet(dataSet, { folds: 2, cacheFolder });
  expect(beside.cases).toEqual(together.cases);
  expect(beside.warnings.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(
      /b_0001\.nii\.gz: its corners lie up to 1\.67 mm \(0\.333 voxels\) from those of .*b_0000\.nii\.gz\. It is/,
    ),
  );

  const shifted = { ...smallCase('b').label, affine: straight(1, 2, 5, 3) };
  await writeStated(second, shifted);
  await expect(prepareDataSet(dataSet, { folds: 2, cacheFolder })).rejects.toThrow(
    /b_0001\.nii\.gz: its corners lie up to 3\.00 mm \(3\.00 voxels\) from those of .*b_0000\.nii\.gz\. Export all channels of a scan on one grid\./,
  );
});

test('CT is clipped and scaled by what it is in the whole data set, in memory as on the disk; other channels by themselves', async () => {
  await writeDataSet(folder, ['a', 'b'].map(smallCase), { ...small, modality: { 0: 'CT', 1: 'T2' } });
  const dataSet = await readDataSet(folder);
  const inMemory = await prepareDataSet(dataSet, { folds: 2, cacheFolder });
  const onDisk = await prepareDataSet(dataSet, { folds: 2, cacheFolder, memoryLimitBytes: 0 });
  // numpy 2.4: v = numpy.arange(1, 9) ** 2; f = numpy.tile(v[1::2], 2), those with a label;
  // (v.clip(*numpy.percentile(f, [0.5, 99.5])) - f.mean()) / f.std()
  const expected = [-1.1446, -1.1446, -0.9245, -0.6163, -0.2201, 0.2641, 0.8364, 1.4968];
  const { normalisations } = inMemory;
  expect(normalisations[0]).toEqual({
    kind: 'data_set',
    low: 4,
    high: 64,
    mean: 30,
    deviation: expect.closeTo(22.7156, 3),
  });
  expect(normalisations[1]).toEqual(zScore);
  for (const { cases } of [inMemory, onDisk]) {
    for (const one of cases) {
      const image = imageOf(one);
      expected.forEach((value, i) => {
        expect(image[i]).toBeCloseTo(value, 3);
      });
      expect(image[8]).toBeCloseTo(-1.4008, 3);
    }
  }
  const [, { images }] = dataSet.cases;
  expect(prepareImage(await readNifti(images[0]), normalisations).image).toEqual(imageOf(inMemory.cases[1]));
});

test('a case that is stored in another orientation is turned to that of most cases', async () => {
  await writeDataSet(folder, ['a', 'b', 'c'].map(smallCase), small);
  for (const kind of ['imagesTr', 'labelsTr']) {
    const file = join(folder, kind, 'c.nii.gz');
    const stored = await readNifti(file);
    const { shape, channels, data, affine } = turnVolume(stored, turnTo(stored, 'SLP'));
    await writeNifti(file, { shape, channels, data, affine });
  }
  const prepared = await prepareDataSet(await readDataSet(folder), { folds: 2, cacheFolder });
  const [usual, , turned] = prepared.cases;
  expect({ ...turned, name: 'a', labelFile: usual.labelFile, labelTurn: unturned }).toEqual(usual);
  expect(turned.labelTurn).toEqual(turnBetween('SLP', 'RAS'));
  expect(prepared.fingerprint).toMatchObject({ orientation: 'RAS', orientations: { RAS: 2, SLP: 1 } });
  expect(prepared.fingerprint.shape).toEqual({ min: [2, 3, 4], median: [2, 3, 4], max: [2, 3, 4] });
  expect(prepared.warnings.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/c\.nii\.gz: its voxel axes point to SLP, those of most cases to RAS\. It is turned/),
  );
});

/** A grid rotated about x, y or z, in degrees, with its first voxel off by `noise` millimetres. */
function rotated(degrees: number, about: 0 | 1 | 2, noise = 0): Affine {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [one, other] = [0, 1, 2].filter((axis) => axis !== about);
  const entry = (row: number, column: number): number => {
    if (row === about || column === about) return row === column ? 1 : 0;
    if (row === column) return c + noise;
    return row === one && column === other ? -s : s;
  };
  const row = (at: number) => [entry(at, 0), 2 * entry(at, 1), 3 * entry(at, 2), 7 * at] as const;
  return [row(0), row(1), row(2), [0, 0, 0, 1]];
}

test.each(
  ([0, 1, 2] as const).flatMap((about) =>
    [0, 30, 45, 60, 90, 135, 180, 225, 315].map((degrees) => ({ about, degrees })),
  ),
)('a label lies on its image, rotated by $degrees degrees about axis $about, whatever rounding does', async (angle) => {
  const { degrees, about } = angle;
  const cases = [-1e-7, 0, 1e-7].map((noise, i) => {
    const { image, label } = boxCase('abc'[i], random);
    // Its intensities say which class a voxel has.
    const data = Int16Array.from(label.data, (value, voxel) => 100 + 10 * value + (voxel % 5));
    return {
      name: 'abc'[i],
      image: { shape: image.shape, data, affine: rotated(degrees, about) },
      label: { ...label, affine: rotated(degrees, about, noise) },
    };
  });
  const coarse = boxCase('d', random);
  const affine = rotated(degrees, about).map(([x, y, z, t]) => [2 * x, 2 * y, z, t] as const);
  const data = Int16Array.from(coarse.label.data, (value, voxel) => 100 + 10 * value + (voxel % 5));
  const resampled = { name: 'd', image: { ...coarse.image, data, affine }, label: { ...coarse.label, affine } };
  await writeDataSet(folder, [...cases, resampled]);
  const { cases: prepared, warnings } = await prepareDataSet(await readDataSet(folder), { folds: 2, cacheFolder });
  expect(warnings.filter(({ message }) => /corners|axes/.test(message))).toEqual([]);
  for (const one of prepared.slice(0, 3)) {
    const intensities = imageOf(one);
    const of = (index: number) => [...labelOf(one)].flatMap((found, i) => (found === index ? intensities[i] : []));
    expect(of(1).length).toBeGreaterThan(20);
    expect(Math.max(...of(0))).toBeLessThan(Math.min(...of(1)));
    expect(Math.max(...of(1))).toBeLessThan(Math.min(...of(2)));
  }
  // Read again, it is as it was when it was prepared.
  const values = { labelValues: [0, 1, 2], ignoredValue: undefined };
  expect((await readOwnLabel(prepared[0], values)).label).toEqual(labelOf(prepared[0]));
  const own = await readOwnLabel(prepared[3], values);
  expect(isResampled(prepared[3])).toBe(true);
  const scan = await readNifti(join(folder, 'imagesTr', 'd.nii.gz'));
  const turned = turnVolume(scan, turnTo(scan, 'RAS')).data;
  const classes = Uint8Array.from(turned, (value) => Math.floor((value - 100) / 10));
  // The data set's orientation is that of its images, which agree.
  if (degrees === 0) expect(own.label).toEqual(classes);
  expect([1, 2].map((index) => own.label.filter((found) => found === index).length)).toEqual(
    [1, 2].map((index) => classes.filter((found) => found === index).length),
  );
});

test.each([
  ['int32', (values: readonly number[]) => Int32Array.from(values), 0],
  ['uint32', (values: readonly number[]) => Uint32Array.from(values), 0],
  ['float64', (values: readonly number[]) => Float64Array.from(values), 0],
  ['scaled int32', (values: readonly number[]) => Int32Array.from(values, (value) => value - 5), 5],
])('label values that no float32 can tell apart stay apart, as %s', async (_, store, intercept) => {
  const values = [0, 16_777_216, 16_777_217, 576_073_733, 2_147_483_647];
  const cases = ['a', 'b', 'c'].map((name) => {
    const { image, label } = boxCase(name, random);
    return { name, image, label: { ...label, data: store([...label.data].map((_, i) => values[i % 5])) } };
  });
  await writeDataSet(folder, cases, {
    labels: Object.fromEntries(values.map((value, i) => [value, i === 0 ? 'background' : `part ${value}`])),
  });
  for (const { name } of intercept === 0 ? [] : cases) {
    const file = join(folder, 'labelsTr', `${name}.nii.gz`);
    const bytes = gunzipSync(await readFile(file));
    bytes.writeFloatLE(1, 112);
    bytes.writeFloatLE(intercept, 116);
    await writeFile(file, bytes);
  }
  const { cases: prepared, warnings } = await prepareDataSet(await readDataSet(folder), { folds: 2, cacheFolder });
  expect(warnings).toEqual([]);
  for (const one of prepared) {
    const expected = Uint8Array.from({ length: 336 }, (_, i) => i % 5);
    expect(labelOf(one)).toEqual(expected);
    expect((await readOwnLabel(one, { labelValues: values, ignoredValue: undefined })).label).toEqual(expected);
  }
});

/** Cases a, b and c of 24 x 20 x 12 voxels of 1 x 1 x 2 mm, and d of 16 x 24 x 12 that are 1.5 x 1 x 2 mm apart, with a margin of zeros. */
async function writeTwoSpacings(modality: string): Promise<void> {
  const sized = (name: string, [x, y, z]: readonly number[], wide: number): TestCase => {
    const voxels = Array.from({ length: x * y * z }, (_, i) => [i % x, Math.floor(i / x) % y, Math.floor(i / (x * y))]);
    const affine = straight(wide, 1, 2);
    const inside = voxels.map(([i, j]) => i >= 2 && i < x - 2 && j >= 4);
    const ramp = (i: number, k: number): number => 100 + 10 * (i + 0.5) * wide + 20 * k;
    return {
      name,
      image: {
        shape: [x, y, z],
        data: Float32Array.from(voxels, ([i, , k], at) => (inside[at] ? ramp(i, k) : 0)),
        affine,
      },
      label: {
        shape: [x, y, z],
        data: Uint8Array.from(voxels, ([i, j]) => ((i + 0.5) * wide < 12 ? 1 : j === 1 ? 2 : 0)),
        affine,
      },
    };
  };
  await writeDataSet(
    folder,
    [...['a', 'b', 'c'].map((name) => sized(name, [24, 20, 12], 1)), sized('d', [16, 24, 12], 1.5)],
    { modality: { 0: modality } },
  );
}

test('a case of another spacing is resampled to that of most, its label too, and a scan to be segmented in the same way', async () => {
  for (const modality of ['MRI', 'CT']) {
    await writeTwoSpacings(modality);
    const dataSet = await readDataSet(folder);
    const { cases, fingerprint, normalisations } = await prepareDataSet(dataSet, { folds: 2, cacheFolder });
    expect(fingerprint).toMatchObject({ commonSpacing: [2, 1, 1], commonShape: [12, 20, 24], resampled: 1 });
    expect(cases.map(isResampled)).toEqual([false, false, false, true]);
    const other = cases[3];
    // 12 of 16 voxels are not 0: 18 of one millimetre.
    expect(other).toMatchObject({ shape: [12, 20, 18], spacing: [2, 1, 1] });
    expect(other.crop).toEqual({ offset: [0, 4, 2], shape: [12, 20, 12], scanShape: [12, 24, 16] });
    const [image, label] = [imageOf(other), labelOf(other)];
    // A millimetre along x, away from the ends, is half a slice; the label ends at 12 mm, 9 after the crop's begin.
    const slice = image[9 * 20 * 18 + 9] - image[8 * 20 * 18 + 9];
    for (const x of [7, 8, 9, 10]) expect((image[x + 1] - image[x]) / slice).toBeCloseTo(0.5, 2);
    expect([...label.subarray(0, 18)]).toEqual(Array.from({ length: 18 }, (_, x) => (x < 9 ? 1 : 0)));
    expect(other.foreground.every((voxel) => label[voxel] > 0)).toBe(true);
    expect(other.outsideCrop).toEqual([0, 1.5 * (2 * 20 + 8 * 4) * 12, 1.5 * 8 * 12]);

    const scan = await readNifti(dataSet.cases[3].images[0]);
    const prepared = prepareImage(scan, normalisations, fingerprint.commonSpacing);
    expect(prepared.image).toEqual(image);
    expect(prepared).toMatchObject({ shape: other.shape, spacing: other.spacing, crop: other.crop });
    expect(prepareImage(scan, normalisations).shape).toEqual([12, 20, 12]);
  }
});

test('where little is left of the scans, z-scores are within the mask of what is not 0, in memory, on the disk and of a scan to be segmented', async () => {
  const balls = [ballCase('a', random), ballCase('b', random), ballCase('c', random, 1.5)];
  await writeDataSet(folder, balls, { modality: { 0: 'T1', 1: 'T2' } });
  const dataSet = await readDataSet(folder);
  const usual = await prepareDataSet(dataSet, { folds: 2, cacheFolder });
  expect(usual.normalisations).toEqual([zScore, zScore]);
  // (18 / 24)^3 of the scans is left, 42 %.
  const rarely = { ...nnunetRecipe.preparation, masked_below: 0.42 };
  expect((await prepareDataSet(dataSet, { folds: 2, cacheFolder, recipe: rarely })).normalisations).toEqual([
    zScore,
    zScore,
  ]);
  const recipe = nnunetRecipe.preparation;
  const inMemory = await prepareDataSet(dataSet, { folds: 2, cacheFolder, recipe });
  const onDisk = await prepareDataSet(dataSet, { folds: 2, cacheFolder, recipe, memoryLimitBytes: 0 });
  expect(inMemory.normalisations).toEqual([maskedZScore, maskedZScore]);
  expect(inMemory.cases.map(isResampled)).toEqual([false, false, true]);
  for (const [index, one] of inMemory.cases.entries()) {
    expect(onDisk.cases[index].storage.kind).toBe('disk');
    expect(imageOf(onDisk.cases[index])).toEqual(imageOf(one));
    const { image } = prepareImage(
      await readNifti(dataSet.cases[index].images[0]),
      inMemory.normalisations,
      inMemory.fingerprint.commonSpacing,
    );
    expect(image).toEqual(imageOf(one));
    const [size, voxels] = [one.shape[0], one.shape[0] ** 3];
    const distances = Array.from({ length: voxels }, (_, voxel) =>
      Math.hypot(
        ...[voxel % size, Math.floor(voxel / size) % size, Math.floor(voxel / size ** 2)].map(
          (at) => at + 0.5 - size / 2,
        ),
      ),
    );
    for (const channel of [0, 1]) {
      const values = image.subarray(channel * voxels, (channel + 1) * voxels);
      // Half a voxel diagonal around the ball's surface, the larger voxels' one, may be in or out.
      expect(values.every((value, voxel) => distances[voxel] < 9 + 1.3 || value === 0)).toBe(true);
      const inside = [...values].filter((_, voxel) => distances[voxel] < 9);
      expect([...values].filter((value, voxel) => value === 0 && distances[voxel] < (index === 2 ? 7.7 : 9))).toEqual(
        [],
      );
      if (index === 2) continue;
      expect(inside.reduce((sum, value) => sum + value, 0) / inside.length).toBeCloseTo(0, 4);
      expect(inside.reduce((sum, value) => sum + value ** 2, 0) / inside.length).toBeCloseTo(1, 3);
      // The hole is as dark as nothing in the ball.
      const hole = [...values].filter((_, voxel) => distances[voxel] < 2);
      expect(Math.max(...hole)).toBeLessThan(Math.min(...inside.filter((value) => value > hole[0] + 1e-3)));
    }
  }
});

test('the label of a case that was resampled can be read again as it was', async () => {
  await writeTwoSpacings('MRI');
  const { cases } = await prepareDataSet(await readDataSet(folder), { folds: 2, cacheFolder });
  const { label, outsideCrop } = await readOwnLabel(cases[3], {
    labelValues: [0, 1, 2],
    ignoredValue: undefined,
  });
  expect([...label.subarray(0, 12)]).toEqual(Array.from({ length: 12 }, (_, x) => (x < 6 ? 1 : 0)));
  expect(outsideCrop).toEqual([0, (2 * 20 + 8 * 4) * 12, 8 * 12]);
});

test('cases that do not fit into memory before, or only after they are resampled, are the same from disk', async () => {
  const { image, label } = boxCase('d', random);
  const affine = straight(3, 3, 3);
  const coarse = { name: 'd', image: { ...image, affine }, label: { ...label, affine } };
  await writeDataSet(folder, [...['a', 'b', 'c'].map((name) => boxCase(name, random)), coarse], {
    modality: { 0: 'CT' },
  });
  const dataSet = await readDataSet(folder);
  const inMemory = await prepareDataSet(dataSet, { folds: 2, cacheFolder });
  expect(inMemory.cases[3].shape).toEqual([18, 21, 24]);
  // Each has 1,680 bytes, the last 45,360 when it is resampled.
  for (const [memoryLimitBytes, kinds] of [
    [1000, ['disk', 'disk', 'disk', 'disk']],
    [10_000, ['memory', 'memory', 'memory', 'disk']],
  ] as const) {
    const { cases } = await prepareDataSet(dataSet, { folds: 2, cacheFolder, memoryLimitBytes });
    expect(cases.map(({ storage }) => storage.kind)).toEqual(kinds);
    cases.forEach((one, index) => {
      expect([...imageOf(one)]).toEqual([...imageOf(inMemory.cases[index])]);
      expect([...labelOf(one)]).toEqual([...labelOf(inMemory.cases[index])]);
    });
  }
});

test('cases that differ in spacing by less than 1 % stay voxel for voxel as they are', async () => {
  const { image, label } = boxCase('c', random);
  const nearly = {
    image: { ...image, affine: straight(1.009, 1, 1) },
    label: { ...label, affine: straight(1.009, 1, 1) },
  };
  await writeDataSet(folder, [boxCase('a', random), boxCase('b', random), { name: 'c', ...nearly }]);
  const { cases, fingerprint, warnings } = await prepareDataSet(await readDataSet(folder), { folds: 3, cacheFolder });
  expect(fingerprint.resampled).toBe(0);
  expect(warnings).toEqual([]);
  const scan = await readNifti(join(folder, 'imagesTr', 'c.nii.gz'));
  expect(imageOf(cases[2])).toEqual(prepareImage(scan, [zScore]).image);
});

test('a scan that would become far too large is refused, in a data set and alone', async () => {
  const { image, label } = boxCase('d', random);
  const affine = straight(1000, 1000, 1000);
  const wrong = { name: 'd', image: { ...image, affine }, label: { ...label, affine } };
  await writeDataSet(folder, [...['a', 'b', 'c'].map((name) => boxCase(name, random)), wrong]);
  await expect(prepareDataSet(await readDataSet(folder), { folds: 3, cacheFolder })).rejects.toThrow(
    /d\.nii\.gz: at the data set's spacing of 1 x 1 x 1 mm it would be far too large, for its own is 1000 x 1000 x 1000 mm\. Correct/,
  );
  const scan = await readNifti(join(folder, 'imagesTr', 'd.nii.gz'));
  expect(() => prepareImage(scan, [zScore], [1, 1, 1])).toThrow(/d\.nii\.gz: its spacing of .* far too large/);
});

test('cases that do not fit into memory are the same from disk', async () => {
  await writeDataSet(
    folder,
    ['a', 'b', 'c'].map((name) => boxCase(name, random)),
  );
  const dataSet = await readDataSet(folder);
  const inMemory = await prepareDataSet(dataSet, { folds: 3, cacheFolder });
  const onDisk = await prepareDataSet(dataSet, { folds: 3, cacheFolder, memoryLimitBytes: 1000 });
  onDisk.cases.forEach((stored, i) => {
    expect([stored.storage.kind, inMemory.cases[i].storage.kind]).toEqual(['disk', 'memory']);
    expect([...imageOf(stored)]).toEqual([...imageOf(inMemory.cases[i])]);
    expect([...labelOf(stored)]).toEqual([...labelOf(inMemory.cases[i])]);
  });
});

test('a cache folder that cannot be made is said', async () => {
  await writeDataSet(
    folder,
    ['a', 'b', 'c'].map((name) => boxCase(name, random)),
  );
  const inAFile = join(folder, 'dataset.json', 'cache');
  const prepared = prepareDataSet(await readDataSet(folder), { folds: 3, cacheFolder: inAFile, memoryLimitBytes: 0 });
  await expect(prepared).rejects.toThrow(`${inAFile}: a part of this path is a file. Check the path.`);
});

test('a constant scan of zeros becomes zeros on the whole grid', async () => {
  await writeDataSet(folder, [{ ...boxCase('a', random), image: { shape: [8, 7, 6], data: new Uint8Array(336) } }]);
  const { image, shape } = prepareImage(await readNifti(join(folder, 'imagesTr', 'a.nii.gz')), [zScore]);
  expect(shape).toEqual([6, 7, 8]);
  expect(image.every((value) => value === 0)).toBe(true);
});

test('a data set with errors is refused with all of them, a scan with NaN too', async () => {
  await writeDataSet(
    folder,
    ['a', 'b', 'c'].map((name) => boxCase(name, random)),
  );
  await writeFile(join(folder, 'imagesTr', 'a.nii.gz'), 'nothing');
  await writeFile(join(folder, 'labelsTr', 'b.nii.gz'), 'nothing');
  const prepared = prepareDataSet(await readDataSet(folder), { folds: 3, cacheFolder });
  await expect(prepared).rejects.toThrow(/imagesTr\/a.nii.gz: .*\n.*labelsTr\/b.nii.gz: /);
  const scan = await readNifti(join(folder, 'imagesTr', 'c.nii.gz'));
  expect(() => prepareImage({ ...scan, data: new Float32Array(336).fill(Number.NaN) }, [zScore])).toThrow(
    'channel 0 holds voxels',
  );
});

test('ignored voxels have a class of their own, from which no crop is drawn', async () => {
  const labels = { background: 0, near: 2, ignore: 300 };
  await writeDataSet(folder, [smallCase('a'), smallCase('b')], { modality: small.modality, labels });
  const { cases, fingerprint } = await prepareDataSet(await readDataSet(folder), { folds: 2, cacheFolder });
  expect([...labelOf(cases[0])]).toEqual([0, 255, 0, 1, 0, 255, 0, 1]);
  expect([...cases[0].foreground]).toEqual([3, 7]);
  // Two voxels of 24 in either case; the intensities are those of the label alone: 16 and 64, 144 and 256.
  expect(fingerprint.classFractions[1]).toBeCloseTo(2 / 24, 10);
  expect(fingerprint.intensities.map(({ mean }) => mean)).toEqual([40, 200]);
});
