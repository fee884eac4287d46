import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Tensor, tensor } from '@ronasmis/libtorch';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { zScore } from '../../src/data/normalisation.ts';
import { exportOnnx } from '../../src/export/export.ts';
import { orientationOf } from '../../src/formats/affine.ts';
import { caseName } from '../../src/formats/case-names.ts';
import { readNifti, writeNifti } from '../../src/formats/nifti.ts';
import { turnTo, turnVolume } from '../../src/formats/orientation.ts';
import { readVolume } from '../../src/formats/read-volume.ts';
import { fittingTile } from '../../src/inference/fitting.ts';
import { loadModel } from '../../src/inference/model.ts';
import type { PredictOptions } from '../../src/inference/options.ts';
import { IncompletePrediction, predict } from '../../src/inference/predict.ts';
import { type SegmentationSizes, segment, toImage } from '../../src/inference/segment.ts';
import { childWeightNames, createWeights, weight } from '../../src/network/weights.ts';
import { prepareImage } from '../../src/preparation/prepared-image.ts';
import { type RunRecord, recordDimensions } from '../../src/run/records.ts';
import { writeScanFixture } from '../formats/scan-fixtures.ts';
import { straight, temporaryFolder } from '../formats/scans.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { child, labels, storedWeights, weights, writeTinyRun } from './tiny-run.ts';

const root = await temporaryFolder();
const { dimensions } = tinyContext;

async function writeRun(stored: ReadonlyMap<string, Tensor>, settings: Partial<RunRecord> = {}): Promise<string> {
  return writeTinyRun(await mkdtemp(join(root, 'run-')), stored, settings);
}

/** A scan of noise in x 2..12, y 1..15, z 0..9 of 14 x 17 x 11 voxels, and of zeros around it. */
async function writeScan(file: string, channels = 1): Promise<string> {
  const random = createRandom(5);
  const data = Float32Array.from({ length: 14 * 17 * 11 * channels }, (_, i) => {
    const [x, y, z] = [i % 14, Math.floor(i / 14) % 17, Math.floor(i / (14 * 17)) % 11];
    const inside = x >= 2 && x <= 12 && y >= 1 && y <= 15 && z <= 9;
    return inside ? 1 + 100 * random.uniform() : 0;
  });
  const affine = straight(0.8, 0.9, 2.5, -31);
  await writeNifti(file, { shape: [11, 17, 14], channels, data, affine });
  return file;
}

let run: string;
let scan: string;
beforeAll(async () => {
  run = await writeRun(storedWeights);
  scan = await writeScan(join(root, 'scan.nii.gz'));
});

const predictInto = (out: string, options: Partial<PredictOptions> = {}) =>
  predict({ run, inputs: [scan], out: join(root, out), device: 'cpu', precision: 'fp32', ...options });

const refusal = async (work: Promise<unknown>) => {
  const error = await work.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  return String(error);
};

describe('predict', () => {
  it("writes what the network says of the crop, on the scan's grid, with the data set's label values", async () => {
    const [{ input, output, seconds }] = await predictInto('out');
    expect([input, output]).toEqual([scan, join(root, 'out', 'scan.nii.gz')]);
    expect(seconds).toBeGreaterThan(0);
    const [volume, written] = [await readNifti(scan), await readNifti(output)];
    expect(written.shape).toEqual([11, 17, 14]);
    expect(written.affine).toEqual(volume.affine);
    const { image, shape } = prepareImage(volume, [zScore]);
    expect(shape).toEqual([10, 15, 11]);
    const classes = segment(weights, child, toImage(image, [1, 1, ...shape], 'cpu', 'float32')).toNumbers();
    const expected = new Uint8Array(14 * 17 * 11);
    classes.forEach((index, voxel) => {
      const [x, y, z] = [voxel % 11, Math.floor(voxel / 11) % 15, Math.floor(voxel / (11 * 15))];
      expected[(z * 17 + y + 1) * 14 + x + 2] = labels[index].value;
    });
    expect(written.data).toEqual(expected);
    expect(new Set(expected)).toEqual(new Set([0, 2, 5]));
  });

  it('clips an impossible voxel as the search does, and says so', async () => {
    const { shape, data, affine } = await readNifti(scan);
    const spoiled = join(root, 'spoiled.nii.gz');
    await writeNifti(spoiled, { shape, data: data.slice().fill(3e38, 600, 601), affine });
    const warnings: string[] = [];
    const options = { run, inputs: [spoiled], out: join(root, 'out'), device: 'cpu', precision: 'fp32' } as const;
    await predict(options, { onWarning: (sentence) => warnings.push(sentence) });
    expect(warnings).toEqual([
      expect.stringMatching(/spoiled\.nii\.gz: it holds an intensity of 3e\+38 in channel 0, where .* is clipped/),
    ]);
    const sorted = data.filter((value, i) => value !== 0 && i !== 600).sort();
    // In so small a scan, ten voxels at either end are left out.
    const [low, high] = [sorted[10], sorted[sorted.length - 11]];
    const clipped = data.map((value, i) => (i === 600 ? high : value && Math.min(high, Math.max(low, value))));
    await writeNifti(join(root, 'clipped.nii.gz'), { shape, data: clipped, affine });
    await predictInto('out', { inputs: [join(root, 'clipped.nii.gz')] });
    const found = await readNifti(join(root, 'out', 'spoiled.nii.gz'));
    expect(found.data).toEqual((await readNifti(join(root, 'out', 'clipped.nii.gz'))).data);
    expect(new Set(found.data).size).toBeGreaterThan(1);
  });

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

  it("keeps one patient's label map from the next one's scan of the same name", async () => {
    const [one, other] = await Promise.all(
      ['P1', 'P2'].map(async (patient, i) => {
        const folder = join(root, 'one-by-one', patient);
        await mkdir(folder, { recursive: true });
        const file = join(folder, 'imaging.nii.gz');
        const { shape, data } = await readNifti(scan);
        await writeNifti(file, { shape, data: data.map((value) => value * (1 + i)), affine: straight(1, 1, 1 + i) });
        return file;
      }),
    );
    const [{ output }] = await predictInto('one-by-one-maps', { inputs: [one], probabilities: true });
    const written = await readFile(output);
    expect(await refusal(predictInto('one-by-one-maps', { inputs: [other] }))).toMatch(
      /imaging\.nii\.gz: the label map of another scan of this name is there\./,
    );
    expect(await readFile(output)).toEqual(written);
    await predictInto('one-by-one-maps', { inputs: [one] });
    expect(await readFile(output)).toEqual(written);
    await predictInto('one-by-one-maps', { inputs: [other], overwrite: true });
    expect(await readFile(output)).not.toEqual(written);
  });

  it('passes over its own label maps, also where they were corrected, and lies among no scans', async () => {
    const patients = join(root, 'patients with maps');
    for (const patient of ['P1', 'P2']) {
      await mkdir(join(patients, patient), { recursive: true });
      await cp(scan, join(patients, patient, 'imaging.nii.gz'));
    }
    const out = join('patients with maps', 'maps');
    const once = await predictInto(out, { inputs: [patients] });
    const warnings: string[] = [];
    const options = { run, inputs: [patients], out: join(root, out), device: 'cpu', precision: 'fp32' } as const;
    const twice = await predict(options, { onWarning: (sentence) => warnings.push(sentence) });
    expect(twice.map(({ input }) => input)).toEqual(once.map(({ input }) => input));
    expect(warnings).toEqual([
      expect.stringMatching(/made by this program are passed over: P1\.nii\.gz, P2\.nii\.gz\.$/),
    ]);
    expect(await refusal(predict({ ...options, out: join(patients, 'P1') }))).toMatch(
      /P1 holds .*imaging\.nii\.gz, a scan to be segmented: give another folder/,
    );
  });

  it('keeps away from what its network was trained on, wherever that lies, even when told to overwrite', async () => {
    const dataSet = join(root, 'listed elsewhere');
    const entries = ['a', 'b', 'c'].map((name) => ({ image: `mr/${name}.nii.gz`, label: `seg/${name}.nii.gz` }));
    for (const folder of ['mr', 'seg']) await mkdir(join(dataSet, folder), { recursive: true });
    for (const { image, label } of entries) for (const file of [image, label]) await cp(scan, join(dataSet, file));
    const labels = { 0: 'background', 1: 'box' };
    await writeFile(join(dataSet, 'dataset.json'), JSON.stringify({ labels, training: entries }));
    const { settings } = JSON.parse(await readFile(join(run, 'run.json'), 'utf8'));
    const trained = await writeRun(storedWeights, { settings: { ...settings, data_set: dataSet } });
    const options = { run: trained, device: 'cpu', precision: 'fp32', overwrite: true } as const;
    for (const folder of ['seg', 'mr', join('seg', 'new')]) {
      const out = join(dataSet, folder);
      expect(await refusal(predict({ ...options, inputs: [scan], out }))).toMatch(
        /would lie among the scans or label maps/,
      );
      await expect(exportOnnx({ run: trained, out: join(out, 'x.onnx'), overwrite: true })).rejects.toThrow(
        /among the scans/,
      );
    }
    expect((await readdir(join(dataSet, 'seg'))).sort()).toEqual(['a.nii.gz', 'b.nii.gz', 'c.nii.gz']);
    await predict({ ...options, inputs: [join(dataSet, 'mr')], out: join(dataSet, 'predictions') });
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
    const tileWithin = (bytes: number) =>
      fittingTile(model, [33, 36, 40], bytes, { device: 'cpu', dataType: 'float32' });
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
    const labelsOf = (sizes: SegmentationSizes): readonly number[] => {
      const { image } = prepareImage(stored, [zScore]);
      const input = toImage(image, [1, 1, 33, 36, 40], 'cpu', 'float32');
      return segment(weights, child, input, sizes)
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

  it('says what is odd about several scans in one line a kind, with the memory that suffices for all', async () => {
    const folder = await mkdtemp(join(root, 'odd-'));
    const random = createRandom(7);
    const write = (name: string, shape: Triple, value = () => 1 + random.uniform()) => {
      const data = Float32Array.from({ length: voxelsOf(shape) }, value);
      return writeNifti(join(folder, `${name}.nii.gz`), { shape, data, affine: straight() });
    };
    const sizes = [44, 48, 60, 52, 56];
    for (const [i, size] of sizes.entries()) await write(`scan${i}`, [48, 52, size]);
    const predictFolder = async (mebibytes: number, inputs = [folder]) => {
      const warnings: string[] = [];
      const hooks = { onWarning: (sentence: string) => warnings.push(sentence) };
      const memoryBytes = mebibytes * 2 ** 20;
      const out = join(root, 'odd');
      const options = { run, inputs, out, memoryBytes, device: 'cpu', precision: 'fp32' } as const;
      const found = await predict(options, hooks).catch((error: unknown) => error);
      return { found, warnings };
    };
    const { found: refused } = await predictFolder(401);
    if (!(refused instanceof IncompletePrediction)) throw new Error('Not refused.');
    // What is wrong is listed scan by scan.
    const sufficient = refused.problems.map((problem, i) => {
      expect(problem).toContain(`scan${i}.nii.gz: memory does not suffice for it, nor for tiles of it.`);
      return Number(/Give at least --memory (\d+)MiB\.$/.exec(problem)?.[1]);
    });
    expect(sufficient).toHaveLength(5);
    const tiled = await predictFolder(Math.max(...sufficient));
    expect(tiled.found).toHaveLength(5);
    expect(tiled.warnings).toEqual([
      expect.stringMatching(
        /odd-\w+: 5 of 5 cases are segmented in overlapping tiles, for they do not fit into memory in one pass .*: above all scan2 \(\d+ overlapping tiles of /,
      ),
    ]);
    const [, whole] = /One pass of each takes --memory (\d+)MiB\.$/.exec(tiled.warnings[0]) ?? [];
    expect((await predictFolder(Number(whole))).warnings).toEqual([]);
    expect((await predictFolder(Number(whole) - 1)).warnings).toEqual([expect.stringContaining('scan2')]);
  });

  it('says which scans have one value everywhere, and of clipped ones in one line', async () => {
    const folder = await mkdtemp(join(root, 'even-'));
    const { shape, data, affine } = await readNifti(scan);
    for (const name of ['a', 'b', 'c'])
      await writeNifti(join(folder, `${name}.nii.gz`), { shape, data: data.slice().fill(3e38, 600, 601), affine });
    const predictWarned = async () => {
      const warnings: string[] = [];
      const options = { run, inputs: [folder], out: join(root, 'even'), device: 'cpu', precision: 'fp32' } as const;
      await predict(options, { onWarning: (sentence) => warnings.push(sentence) });
      return warnings;
    };
    await writeNifti(join(folder, 'zeros.nii.gz'), { shape, data: new Float32Array(data.length), affine });
    const clipped = expect.stringMatching(
      /even-\w+: 3 of \d cases hold intensities that are far from all others, .*: a \(3e\+38 in channel 0/,
    );
    const one = `${join(folder, 'zeros.nii.gz')}: channel 0 is 0 everywhere. Is this scan empty?`;
    expect((await predictWarned()).sort()).toEqual([clipped, one].sort());
    await writeNifti(join(folder, 'ones.nii.gz'), { shape, data: new Float32Array(data.length).fill(1), affine });
    const both = await predictWarned();
    expect(both).toHaveLength(2);
    expect(both).toContainEqual(
      expect.stringMatching(
        /even-\w+: 2 of 5 cases have a channel with one value everywhere: .*Are these scans empty\?$/,
      ),
    );
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
    const spacedRun = await writeRun(new Map(childWeightNames(child).map((name) => [name, weight(weights, name)])), {
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
    const prediction = segment(weights, child, toImage(image, [1, 1, ...shape], 'cpu', 'float32'), {
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
    const chosen = await writeRun(new Map(childWeightNames(child).map((name) => [name, weight(weights, name)])), {
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
    const spacedRun = await writeRun(new Map(childWeightNames(child).map((name) => [name, weight(weights, name)])), {
      spacing: [2.5, 0.9, 0.8],
    });
    const inputs = [await spaced('metres', 800, 900, 2500)];
    expect(await refusal(predictInto('never', { run: spacedRun, inputs }))).toMatch(
      /metres\.nii\.gz: its spacing of 800 x 900 x 2500 mm is far from that of the training data, 0\.8 x 0\.9 x 2\.5 mm/,
    );
  });

  it("joins a scan's channel files where the network was trained on such, and names the label map after the scan", async () => {
    const twoChannels = { ...dimensions, inputChannels: 2 };
    const two = createWeights('macro', twoChannels, 'cpu', 2);
    const network = recordDimensions(twoChannels);
    const stored = new Map(childWeightNames(child).map((name) => [name, weight(two, name)]));
    const [whole, split] = [
      await writeRun(stored, { network }),
      await writeRun(stored, { network, channel_files: true }),
    ];
    const folder = await mkdtemp(join(root, 'channels-'));
    const file = await writeScan(join(folder, 'p.nii.gz'), 2);
    const { data, shape, affine } = await readNifti(file);
    const inputs = [0, 1].map((channel) => join(folder, `p_000${channel}.nii.gz`));
    const voxels = data.length / 2;
    for (const channel of [0, 1])
      await writeNifti(inputs[channel], {
        shape,
        data: data.slice(channel * voxels, (channel + 1) * voxels),
        affine,
      });
    await predictInto('whole', { run: whole, inputs: [file] });
    const predictions = await predictInto('split', { run: split, inputs });
    expect(predictions.map(({ output }) => output)).toEqual([join(root, 'split', 'p.nii.gz')]);
    const [expected, written] = [
      await readNifti(join(root, 'whole', 'p.nii.gz')),
      await readNifti(predictions[0].output),
    ];
    expect(written.data).toEqual(expected.data);
    expect(written.affine).toEqual(affine);
    await expect(predictInto('never', { run: split, inputs: [inputs[0]] })).rejects.toThrow(/p_0001 is not there/);
    // One file may hold all channels, also among such.
    const together = await writeScan(join(folder, 'q.nii.gz'), 2);
    await predictInto('together', { run: split, inputs: [together, ...inputs] });
    expect((await readdir(join(root, 'together'))).sort()).toEqual(['p.nii.gz', 'q.nii.gz']);
    expect((await readNifti(join(root, 'together', 'q.nii.gz'))).data).toEqual(expected.data);
    const one = await writeScan(join(folder, 'r.nii.gz'));
    await expect(predictInto('never', { run: split, inputs: [one] })).rejects.toThrow(
      /r\.nii\.gz has 1 channels; the network was trained on 2\. .*, in one file or in files called CASE_0000, CASE_0001/,
    );
  });

  it('takes files and folders, each scan once', async () => {
    const folder = await mkdtemp(join(root, 'scans-'));
    const scans = [await writeScan(join(folder, 'b.nii')), await writeScan(join(folder, 'a.nii.gz'))];
    await writeFile(join(folder, 'notes.txt'), '');
    const predictions = await predictInto('many', { inputs: [scans[0], folder] });
    expect(predictions.map(({ input }) => input)).toEqual(scans);
    expect((await readdir(join(root, 'many'))).sort()).toEqual(['a.nii.gz', 'b.nii.gz']);
  });

  it('segments scans of other formats as their copies in NIfTI, on the same grid', async () => {
    const names = ['NRRD int16', 'MetaImage header and voxels', 'DICOM'];
    const paths = await Promise.all(names.map((name) => writeScanFixture(root, name)));
    const copies = await mkdtemp(join(root, 'copies-'));
    for (const [i, path] of paths.entries()) {
      const { shape, data, affine } = await readVolume(path);
      await writeNifti(join(copies, `${names[i]}.nii.gz`), { shape, data, affine });
    }
    for (const [i, path] of paths.entries()) {
      const out = `others-${i}`;
      const [{ output }] = await predictInto(out, { inputs: [path] });
      expect(output).toBe(join(root, out, `${caseName(path)}.nii.gz`));
      const [copy] = await predictInto(out, { inputs: [join(copies, `${names[i]}.nii.gz`)] });
      const [written, expected] = [await readNifti(output), await readNifti(copy.output)];
      expect([written.shape, written.data, written.affine]).toEqual([expected.shape, expected.data, expected.affine]);
      expect(new Set(written.data).size).toBeGreaterThan(1);
    }
    // A folder of folders of DICOM is several scans.
    const folder = await mkdtemp(join(root, 'series-'));
    for (const name of ['a', 'b']) await rename(await writeScanFixture(root, 'DICOM'), join(folder, name));
    const several = await predictInto('several', { inputs: [folder] });
    expect(several.map(({ output }) => basename(output))).toEqual(['a.nii.gz', 'b.nii.gz']);
  });

  it('stops between scans and tells how far it is', async () => {
    const stop = new AbortController();
    const told: number[] = [];
    const onProgress = ({ done }: { readonly done: number }) => {
      told.push(done);
      stop.abort();
    };
    const options: PredictOptions = {
      run,
      inputs: [scan],
      out: join(root, 'stopped'),
      device: 'cpu',
      precision: 'fp32',
    };
    await expect(predict(options, { signal: stop.signal, onProgress })).rejects.toMatchObject({ name: 'AbortError' });
    expect(told).toEqual([0]);
  });

  it('names scans of the same file name by their folders', async () => {
    const folder = await mkdtemp(join(root, 'patients-'));
    const files = ['P1', 'P2'].map((patient) => join(folder, patient, 'imaging.NII.GZ'));
    for (const file of files) {
      await mkdir(dirname(file));
      await writeScan(file);
    }
    const named = async (inputs: readonly string[]) =>
      (await predictInto('patients', { inputs })).map(({ output }) => basename(output));
    expect(await named(files)).toEqual(['P1.nii.gz', 'P2.nii.gz']);
    expect(await named([folder])).toEqual(['P1.nii.gz', 'P2.nii.gz']);
    const among = ['P1', 'P2'].map((patient) => `${basename(folder)}__${patient}.nii.gz`);
    expect(await named([scan, ...files])).toEqual(['scan.nii.gz', ...among]);
    expect(await named(files.slice(1))).toEqual(['imaging.nii.gz']);
  });

  it('says what looks like a scan in a folder and is none', async () => {
    const folder = await mkdtemp(join(root, 'mixed-'));
    await writeScan(join(folder, 'a.nii.gz'));
    for (const name of ['b.hdr', 'b.img', 'c.nii.gz.part', 'a.json']) await writeFile(join(folder, name), 'other');
    const warnings: string[] = [];
    const options = { run, inputs: [folder], out: join(root, 'mixed'), device: 'cpu', precision: 'fp32' } as const;
    await predict(options, { onWarning: (sentence) => warnings.push(sentence) });
    expect(warnings).toEqual([
      `${folder}: files that look like scans, but are none by the endings of their names: b.hdr, b.img, c.nii.gz.part. They are passed over; convert them to .nii.gz, or remove them.`,
    ]);
  });

  it('refuses, in a sentence, a scan with other channels than the network', async () => {
    const inputs = [await writeScan(join(root, 'two.nii.gz'), 2)];
    expect(await refusal(predictInto('never', { inputs }))).toMatch(
      /two\.nii\.gz has 2 channels; the network was trained on 1\. Give a scan with the channels/,
    );
  });

  it('refuses inputs that are not there, hold no scan or have one name', async () => {
    expect(await refusal(predictInto('never', { inputs: [join(root, 'nowhere')] }))).toMatch(
      /nowhere: there is no such/,
    );
    const empty = await mkdtemp(join(root, 'empty-'));
    expect(await refusal(predictInto('never', { inputs: [empty] }))).toMatch(
      /no scan \(\.nii\.gz, .* or a folder of DICOM\) is there/,
    );
    const inputs = [scan, await writeScan(join(root, 'scan.nii'))];
    expect(await refusal(predictInto('never', { inputs }))).toMatch(
      /scan\.nii: all of them would become .*scan\.nii\.gz\. Segment/,
    );
    await rm(inputs[1]);
  });

  it('refuses an output folder that cannot be made', async () => {
    await writeFile(join(root, 'file'), '');
    for (const out of [join(root, 'file', 'out'), '/proc/out']) {
      const options = { run, inputs: [scan], out, device: 'cpu', precision: 'fp32' } as const;
      expect(await refusal(predict(options))).toMatch(/out cannot be made \(.*\): give another folder with --out/);
    }
  });
});

describe('predict of a batch', () => {
  it('goes on past scans that are bad, and lists every problem once, in the order of the scans', async () => {
    const folder = await mkdtemp(join(root, 'batch-'));
    for (const name of ['b', 'd', 'f']) await writeScan(join(folder, `${name}.nii.gz`));
    await writeFile(join(folder, 'a.nii.gz'), '');
    await writeScan(join(folder, 'c.nii.gz'), 2);
    await writeFile(join(folder, 'e.nii'), 'no scan');
    const inputs = [folder, join(root, 'nowhere.nii.gz')];
    const error: unknown = await predictInto('batch', { inputs }).catch((caught: unknown) => caught);
    if (!(error instanceof IncompletePrediction)) throw error;
    expect(error).toBeInstanceOf(UserError);
    expect(error.predictions.map(({ output }) => basename(output))).toEqual(['b.nii.gz', 'd.nii.gz', 'f.nii.gz']);
    expect(error.problems.map((problem) => /(\w+)\.nii/.exec(problem)?.[1])).toEqual(['nowhere', 'a', 'c', 'e']);
    expect(error.message.split('\n')).toEqual(error.problems);
    expect((await readdir(join(root, 'batch'))).sort()).toEqual(['b.nii.gz', 'd.nii.gz', 'f.nii.gz']);
  });

  it('segments scans of long names, and passes over one whose label map can have no name', async () => {
    const folder = await mkdtemp(join(root, 'long-'));
    const [long, tooLong] = ['n'.repeat(240), 'm'.repeat(250)];
    await writeScan(join(folder, `${long}.nii.gz`));
    await writeScan(join(folder, `${tooLong}.nii`));
    await expect(predictInto('long', { inputs: [folder] })).rejects.toMatchObject({
      predictions: [{ output: join(root, 'long', `${long}.nii.gz`) }],
      problems: [expect.stringMatching(/m\.nii: the name of its label map would be too long\. Shorten its name\.$/)],
    });
  });

  it('puts no label map into a series of DICOM', async () => {
    const folder = await mkdtemp(join(root, 'all-series-'));
    const series = join(folder, 'a');
    await rename(await writeScanFixture(root, 'DICOM'), series);
    const before = await readdir(series);
    const options = { run, inputs: [folder], out: series, device: 'cpu', precision: 'fp32' } as const;
    expect(await refusal(predict(options))).toMatch(/an input, which the results would replace/);
    expect(await readdir(series)).toEqual(before);
  });

  it('does not let the probabilities of one scan become the label map of another', async () => {
    const folder = await mkdtemp(join(root, 'clash-'));
    for (const name of ['a', 'a_probabilities', 'b']) await writeScan(join(folder, `${name}.nii.gz`));
    await expect(predictInto('clash', { inputs: [folder], probabilities: true })).rejects.toMatchObject({
      predictions: [{ output: join(root, 'clash', 'b.nii.gz') }],
      problems: [expect.stringContaining('would become')],
    });
    await predictInto('no clash', { inputs: [folder] });
    expect(await readdir(join(root, 'no clash'))).toHaveLength(3);
  });

  it('replaces its own earlier label maps, also after a kill between two of them, and no others unless it is told', async () => {
    const out = join(root, 'again');
    const inputs = [scan, await writeScan(join(root, 'other.nii.gz'))];
    await predictInto('again', { inputs: inputs.slice(0, 1), probabilities: true });
    const first = await readFile(join(out, 'scan.nii.gz'));
    await predictInto('again', { inputs, probabilities: true });
    expect((await readFile(join(out, 'scan.nii.gz'))).equals(first)).toBe(true);
    // A copy is the same label map; a header of other numbers is not.
    await cp(join(out, 'scan.nii.gz'), join(out, 'other.nii.gz'));
    await predictInto('again', { inputs });
    const corrected = gunzipSync(first);
    corrected.writeFloatLE(corrected.readFloatLE(280) + 0.5, 280);
    await writeFile(join(out, 'scan.nii.gz'), gzipSync(corrected));
    expect(await refusal(predictInto('again', { inputs }))).toMatch(
      /again.scan\.nii\.gz: a file of this name is there/,
    );
    expect(gunzipSync(await readFile(join(out, 'scan.nii.gz'))).equals(corrected)).toBe(true);
    await predictInto('again', { inputs, overwrite: true });
    expect((await readFile(join(out, 'scan.nii.gz'))).equals(first)).toBe(true);
    const otherRun = await writeRun(storedWeights, { created: '2020-01-01T00:00:00Z' });
    expect(await refusal(predictInto('again', { inputs, run: otherRun }))).toContain('other.nii.gz: a file of this');
  });
});

describe('loadModel', () => {
  it("gives the architecture and its weights, in the run's order of names", async () => {
    const model = await loadModel(run, 'cpu');
    expect(model.architecture).toEqual(child);
    expect([...model.weights.keys()]).toEqual(childWeightNames(child));
    for (const [name, loaded] of model.weights) {
      expect(loaded.shape).toEqual(weight(weights, name).shape);
      expect(loaded.toNumbers()).toEqual(weight(weights, name).toNumbers());
      expect(loaded.requiresGradient).toBe(false);
    }
  });

  it('refuses a search that has not finished, and weights that are damaged or of another network', async () => {
    const unfinished = await writeRun(new Map());
    await rm(join(unfinished, 'report.json'));
    await expect(loadModel(unfinished, 'cpu')).rejects.toThrow(/has not finished\. Go on with it by 'ronasmis resume /);
    const other = await writeRun(new Map([['head.0', tensor(new Float32Array(6), [3, 2, 1, 1, 1])]]));
    await expect(loadModel(other, 'cpu')).rejects.toThrow(
      /model\.safetensors lacks the weight 'encoder\.0\.conv1' of arch/,
    );
    await writeFile(join(other, 'model.safetensors'), 'no weights');
    const damaged = loadModel(other, 'cpu');
    await expect(damaged).rejects.toBeInstanceOf(UserError);
    await expect(damaged).rejects.toThrow(/model\.safetensors cannot be read \(.*Search again into a new folder/);
  });
});
