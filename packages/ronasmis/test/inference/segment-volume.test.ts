import { mkdtemp, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { zScore } from '../../src/data/normalisation.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { orientationOf } from '../../src/formats/affine.ts';
import { readNifti, writeNifti } from '../../src/formats/nifti.ts';
import { turnTo, turnVolume } from '../../src/formats/orientation.ts';
import type { SegmentationPlan } from '../../src/inference/classes.ts';
import { fittingTile, sufficientMemory } from '../../src/inference/fitting.ts';
import { loadModel } from '../../src/inference/model.ts';
import { predict } from '../../src/inference/predict.ts';
import { segment } from '../../src/inference/segment.ts';
import { looksOf } from '../../src/inference/tiles.ts';
import { prepareImage } from '../../src/preparation/prepared-image.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { writeRecord } from '../../src/run/run-folder.ts';
import { straight } from '../formats/scans.ts';
import { predictInto, refusal, root, run, scan, writeRun, writeScan } from './predicting.ts';
import { child, labels, network, storedWeights, weights } from './tiny-run.ts';

it('turns scans of all 48 orientations to that of the training data, and its label maps back', async () => {
  const turnedRun = await writeRun(storedWeights, { orientation: 'RAS' });
  const folder = await mkdtemp(join(root, 'turned-'));
  const volume = await readNifti(scan);
  const orientations = ['RL', 'AP', 'SI'].flatMap((x, i, pairs) =>
    pairs.flatMap((y, j) =>
      pairs.flatMap((z, k) =>
        new Set([i, j, k]).size < 3 ? [] : [...x].flatMap((a) => [...y].flatMap((b) => [...z].map((c) => a + b + c))),
      ),
    ),
  );
  expect(orientations).toHaveLength(48);
  for (const orientation of orientations) {
    const { shape, data, affine } = turnVolume(volume, turnTo(volume, orientation));
    await writeNifti(join(folder, `${orientation}.nii.gz`), { shape, data, affine });
  }
  await predictInto('straight', { run: turnedRun });
  await predictInto('turned', { run: turnedRun, inputs: [folder] });
  const expected = await readNifti(join(root, 'straight', 'scan.nii.gz'));
  for (const orientation of orientations) {
    const name = `${orientation}.nii.gz`;
    const [written, turnedScan] = [await readNifti(join(root, 'turned', name)), await readNifti(join(folder, name))];
    expect([written.shape, written.affine]).toEqual([turnedScan.shape, turnedScan.affine]);
    expect(orientationOf(written.affine)).toBe(orientation);
    expect(turnVolume(written, turnTo(written, 'RAS')).data).toEqual(expected.data);
  }
});

it('turns a label map back as it has turned its scan, at 45 degrees too', async () => {
  const turnedRun = await writeRun(storedWeights, { orientation: 'RAS' });
  const volume = await readNifti(scan);
  for (const degrees of [45, 135, 225, 315, 44.999_999_9, 45.000_000_1, 30, 60]) {
    for (const about of [0, 1, 2] as const) {
      const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
      const [one, other] = [0, 1, 2].filter((axis) => axis !== about);
      const entry = (row: number, column: number): number => {
        if (row === about || column === about) return row === column ? 1 : 0;
        if (row === column) return c;
        return row === one && column === other ? -s : s;
      };
      const row = (at: number) => [0.8 * entry(at, 0), 0.9 * entry(at, 1), 2.5 * entry(at, 2), at] as const;
      const affine = [row(0), row(1), row(2), [0, 0, 0, 1] as const];
      const oblique = join(root, 'oblique.nii.gz');
      await writeNifti(oblique, { shape: volume.shape, data: volume.data, affine });
      const turn = turnTo(await readNifti(oblique), 'RAS');
      // The same voxels as the network sees them, of a scan that is not oblique.
      const straightened = turnVolume(volume, turn);
      const seen = join(root, 'seen.nii.gz');
      await writeNifti(seen, { shape: straightened.shape, data: straightened.data, affine: straight() });
      await predictInto('oblique', { run: turnedRun, inputs: [oblique, seen], overwrite: true });
      const [found, expected] = await Promise.all(
        [oblique, seen].map((file) => readNifti(join(root, 'oblique', basename(file)))),
      );
      expect(found.shape).toEqual(volume.shape);
      expect(turnVolume(found, turn).data).toEqual(expected.data);
    }
  }
});

it('segments a scan in tiles where memory does not suffice for one pass, and says so', async () => {
  const large = join(root, 'large.nii.gz');
  const random = createRandom(6);
  const data = Float32Array.from({ length: 40 * 36 * 33 }, () => 1 + random.uniform());
  await writeNifti(large, { shape: [33, 36, 40], data, affine: straight() });
  const model = await loadModel(run, 'cpu');
  const { region } = looksOf(defaultRecipe.inference, child);
  const tileWithin = (bytes: number) =>
    fittingTile(model.network, [33, 36, 40], bytes, { device: 'cpu', dataType: 'float32', region });
  const mebibytes = Array.from({ length: 400 }, (_, i) => (400 - i) / 4);
  const tight = mebibytes.find((size) => String(tileWithin(size * 2 ** 20)) !== '33,36,40') ?? 0;
  const tile = tileWithin(tight * 2 ** 20);
  expect(tile?.some((size, axis) => size < [33, 36, 40][axis])).toBe(true);

  const stored = await readNifti(large);
  const warnings: string[] = [];
  const predictLarge = async (mebibytes: number) => {
    const options = { run, inputs: [large], out: join(root, 'tiles'), memoryBytes: mebibytes * 2 ** 20 };
    const hooks = { onWarning: (sentence: string) => warnings.push(sentence) };
    const [prediction] = await predict({ ...options, device: 'cpu', precision: 'fp32' }, hooks);
    return { ...prediction, labels: [...(await readNifti(prediction.output)).data] };
  };
  const labelsOf = (sizes: SegmentationPlan): readonly number[] => {
    const { image } = prepareImage(stored, [zScore]);
    const input = toImage(image, [1, 1, 33, 36, 40], 'cpu', 'float32');
    return segment(network, weights, input, { ...sizes, region })
      .toNumbers()
      .map((index) => labels[index].value);
  };
  const whole = await predictLarge(4000);
  expect([whole.tile, warnings]).toEqual([null, []]);
  expect(whole.labels).toEqual(labelsOf({}));
  const tiled = await predictLarge(400 + tight);
  expect(tiled.tile).toEqual(tile);
  expect(warnings).toEqual([expect.stringContaining(`large.nii.gz does not fit into memory in one pass: it is`)]);
  expect(tiled.labels).toEqual(labelsOf(tile ? { tile } : {}));
  const refused = await refusal(predictLarge(401));
  const [, sufficient] =
    /large\.nii\.gz: memory does not suffice for it.* Give at least --memory (\d+)MiB\./.exec(refused) ?? [];
  expect((await predictLarge(Number(sufficient))).tile).not.toBeNull();
  expect(await refusal(predictLarge(Number(sufficient) - 1))).toContain('memory does not suffice');
  const [, onePass] = /One pass takes --memory (\d+)MiB\.$/.exec(warnings[0]) ?? [];
  expect((await predictLarge(Number(onePass))).tile).toBeNull();
  expect((await predictLarge(Number(onePass) - 1)).tile).not.toBeNull();
});

it("segments by windows of the patch where the run's recipe says so, in smaller ones where memory does not suffice, and says so", async () => {
  const inference = { ...nnunetRecipe.inference, smallest_tile: 16 };
  const windowed = await writeRun(storedWeights, { recipe: { ...defaultRecipe, inference } });
  await writeRecord(windowed, 'architecture.json', { ...child, patch: { depth: 32, height: 32, width: 48 } });
  const segmented = async (memoryBytes: number) => {
    const warnings: string[] = [];
    const hooks = { onWarning: (sentence: string) => warnings.push(sentence) };
    const options = { run: windowed, inputs: [scan], out: join(root, 'windows'), memoryBytes } as const;
    const [{ tile, output }] = await predict({ ...options, device: 'cpu', precision: 'fp32' }, hooks);
    return { tile, warnings, data: (await readNifti(output)).data };
  };
  const { image, shape } = prepareImage(await readNifti(scan), [zScore]);
  const input = toImage(image, [1, 1, ...shape], 'cpu', 'float32');
  const inside = (tile: Triple) =>
    segment(network, weights, input, { tile, inference })
      .toNumbers()
      .map((index) => labels[index].value);
  const ample = await segmented(2 ** 32);
  expect([ample.tile, ample.warnings]).toEqual([[32, 32, 48], []]);
  expect(Array.from(ample.data).filter((_, voxel) => isInside(voxel))).toEqual(inside([32, 32, 48]));
  const { whole } = sufficientMemory(network, shape, {
    device: 'cpu',
    dataType: 'float32',
    inference,
    window: [32, 32, 48],
  });
  const tight = await segmented((whole - 1) * 2 ** 20);
  expect(tight.tile).toEqual([32, 32, 32]);
  expect(tight.warnings).toEqual([
    `${scan}: a window of the network's patch does not fit into memory: it is segmented in 1 overlapping tiles of 32 x 32 x 32 voxels, which is worse the smaller they are. One pass takes --memory ${whole}MiB.`,
  ]);
  expect(Array.from(tight.data).filter((_, voxel) => isInside(voxel))).toEqual(inside([32, 32, 32]));
});

/** The scan's file again, its voxels so many millimetres apart. */
const spaced = async (name: string, x: number, y: number, z: number): Promise<string> => {
  const file = join(await mkdtemp(join(root, 'spaced-')), `${name}.nii.gz`);
  const { shape, data } = await readNifti(scan);
  await writeNifti(file, { shape, data, affine: straight(x, y, z, -31) });
  return file;
};

it('resamples a scan of another spacing, and brings class probabilities back to its grid', async () => {
  const spacing = [2.5, 0.9, 0.8] as const;
  const spacedRun = await writeRun(storedWeights, {
    orientation: 'RAS',
    spacing,
  });
  await predictInto('same', { run: spacedRun });
  await predictInto('unsaid');
  const [same, unsaid] = [
    await readNifti(join(root, 'same', 'scan.nii.gz')),
    await readNifti(join(root, 'unsaid', 'scan.nii.gz')),
  ];
  expect(same.data).toEqual(unsaid.data);

  const other = await spaced('other', 1.2, 0.9, 2);
  const [{ output }] = await predictInto('resampled', { run: spacedRun, inputs: [other], probabilities: true });
  const [volume, written] = [await readNifti(other), await readNifti(output)];
  expect([written.shape, written.affine]).toEqual([volume.shape, volume.affine]);
  const { image, shape, crop } = prepareImage(volume, [zScore], spacing);
  expect([shape, crop.shape]).toEqual([
    [8, 15, 17],
    [10, 15, 11],
  ]);
  const prediction = segment(network, weights, toImage(image, [1, 1, ...shape], 'cpu', 'float32'), {
    size: crop.shape,
  });
  const inside = prediction.toNumbers().map((index) => labels[index].value);
  expect(Array.from(written.data).filter((_, voxel) => isInside(voxel))).toEqual(inside);
  expect(new Set(inside).size).toBeGreaterThan(1);
});

const isInside = (voxel: number): boolean => {
  const [x, y, z] = [voxel % 14, Math.floor(voxel / 14) % 17, Math.floor(voxel / (14 * 17))];
  return x >= 2 && x <= 12 && y >= 1 && y <= 15 && z <= 9;
};

it('writes class probabilities on the grid of each scan, turned and resampled', async () => {
  const chosen = await writeRun(storedWeights, {
    orientation: 'LSP',
    spacing: [1, 2, 0.8],
  });
  for (const [out, wanted] of [
    ['probabilities', { probabilities: true }],
    ['probabilities of another grid', { probabilities: true, run: chosen }],
  ] as const) {
    await predictInto(out, wanted);
    const [labelMap, written] = [
      await readNifti(join(root, out, 'scan.nii.gz')),
      await readNifti(join(root, out, 'scan_probabilities.nii.gz')),
    ];
    expect([written.shape, written.channels, written.voxelType.name]).toEqual([[11, 17, 14], 3, 'float32']);
    expect(written.affine).toEqual(labelMap.affine);
    const voxels = 14 * 17 * 11;
    for (let voxel = 0; voxel < voxels; voxel++) {
      const shares = [0, 1, 2].map((index) => written.data[index * voxels + voxel]);
      expect(Math.abs(shares[0] + shares[1] + shares[2] - 1)).toBeLessThan(1e-5);
      if (!isInside(voxel)) expect(shares).toEqual([1, 0, 0]);
      expect(labels[shares.indexOf(Math.max(...shares))].value).toBe(labelMap.data[voxel]);
    }
  }
  expect(await readdir(join(root, 'unsaid'))).toEqual(['scan.nii.gz']);
});

it('refuses a scan whose spacing can not be that of a scan', async () => {
  const spacedRun = await writeRun(storedWeights, {
    spacing: [2.5, 0.9, 0.8],
  });
  const inputs = [await spaced('metres', 800, 900, 2500)];
  expect(await refusal(predictInto('never', { run: spacedRun, inputs }))).toMatch(
    /metres\.nii\.gz: its spacing of 800 x 900 x 2500 mm is far from that of the training data, 0\.8 x 0\.9 x 2\.5 mm/,
  );
});

it('refuses, in a sentence, a scan with other channels than the network', async () => {
  const inputs = [await writeScan(join(root, 'two.nii.gz'), 2)];
  expect(await refusal(predictInto('never', { inputs }))).toMatch(
    /two\.nii\.gz has 2 channels; the network was trained on 1\. Give a scan with the channels/,
  );
});
