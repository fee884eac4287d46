import { mkdtemp, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { zScore } from '../../src/data/normalisation.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { caseName } from '../../src/formats/case-names.ts';
import { readNifti, writeNifti } from '../../src/formats/nifti.ts';
import { readVolume } from '../../src/formats/read-volume.ts';
import type { PredictOptions } from '../../src/inference/options.ts';
import { IncompletePrediction, predict } from '../../src/inference/predict.ts';
import { segment } from '../../src/inference/segment.ts';
import { weight } from '../../src/network/weights.ts';
import { prepareImage } from '../../src/preparation/prepared-image.ts';
import { recordDimensions } from '../../src/run/run-record.ts';
import { writeScanFixture } from '../formats/scan-fixtures.ts';
import { straight } from '../formats/scans.ts';
import { predictingNames, spaceWeights } from '../network/peer.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { predictInto, refusal, root, run, scan, writeRun, writeScan } from './predicting.ts';
import { labels, network, weights } from './tiny-run.ts';

const { dimensions } = tinyContext;

it("writes what the network says of the crop, on the scan's grid, with the data set's label values", async () => {
  const [{ input, output, seconds }] = await predictInto('out');
  expect([input, output]).toEqual([scan, join(root, 'out', 'scan.nii.gz')]);
  expect(seconds).toBeGreaterThan(0);
  const [volume, written] = [await readNifti(scan), await readNifti(output)];
  expect(written.shape).toEqual([11, 17, 14]);
  expect(written.affine).toEqual(volume.affine);
  const { image, shape } = prepareImage(volume, [zScore]);
  expect(shape).toEqual([10, 15, 11]);
  const classes = segment(network, weights, toImage(image, [1, 1, ...shape], 'cpu', 'float32')).toNumbers();
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

it('says what is odd about several scans in one line a kind, with the memory that suffices for all', async () => {
  const folder = await mkdtemp(join(root, 'odd-'));
  const random = createRandom(7);
  const write = (name: string, shape: Triple, value = () => 1 + random.uniform()) => {
    const data = Float32Array.from({ length: voxelsOf(shape) }, value);
    return writeNifti(join(folder, `${name}.nii.gz`), { shape, data, affine: straight() });
  };
  const sizes = [56, 57, 60, 58, 59];
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

it("joins a scan's channel files where the network was trained on such, and names the label map after the scan", async () => {
  const twoChannels = { ...dimensions, inputChannels: 2 };
  const two = spaceWeights('macro', twoChannels, 2);
  const record = { network: recordDimensions(twoChannels) };
  const stored = new Map(predictingNames(network).map((name) => [name, weight(two, name)]));
  const [whole, split] = [await writeRun(stored, record), await writeRun(stored, { ...record, channel_files: true })];
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

it('refuses an output folder that cannot be made', async () => {
  await writeFile(join(root, 'file'), '');
  for (const out of [join(root, 'file', 'out'), '/proc/out']) {
    const options = { run, inputs: [scan], out, device: 'cpu', precision: 'fp32' } as const;
    expect(await refusal(predict(options))).toMatch(/out cannot be made \(.*\): give another folder with --out/);
  }
});

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
