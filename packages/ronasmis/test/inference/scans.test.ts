import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { exportOnnx } from '../../src/export/export.ts';
import { readNifti, writeNifti } from '../../src/formats/nifti.ts';
import { predict } from '../../src/inference/predict.ts';
import { writeScanFixture } from '../formats/scan-fixtures.ts';
import { straight } from '../formats/scans.ts';
import { predictInto, refusal, root, run, scan, writeRun, writeScan } from './predicting.ts';
import { storedWeights } from './tiny-run.ts';

it('takes files and folders, each scan once', async () => {
  const folder = await mkdtemp(join(root, 'scans-'));
  const scans = [await writeScan(join(folder, 'b.nii')), await writeScan(join(folder, 'a.nii.gz'))];
  await writeFile(join(folder, 'notes.txt'), '');
  const predictions = await predictInto('many', { inputs: [scans[0], folder] });
  expect(predictions.map(({ input }) => input)).toEqual(scans);
  expect((await readdir(join(root, 'many'))).sort()).toEqual(['a.nii.gz', 'b.nii.gz']);
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

it('refuses inputs that are not there, hold no scan or have one name', async () => {
  expect(await refusal(predictInto('never', { inputs: [join(root, 'nowhere')] }))).toMatch(/nowhere: there is no such/);
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

it('puts no label map into a series of DICOM', async () => {
  const folder = await mkdtemp(join(root, 'all-series-'));
  const series = join(folder, 'a');
  await rename(await writeScanFixture(root, 'DICOM'), series);
  const before = await readdir(series);
  const options = { run, inputs: [folder], out: series, device: 'cpu', precision: 'fp32' } as const;
  expect(await refusal(predict(options))).toMatch(/an input, which the results would replace/);
  expect(await readdir(series)).toEqual(before);
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
  expect(await refusal(predictInto('again', { inputs }))).toMatch(/again.scan\.nii\.gz: a file of this name is there/);
  expect(gunzipSync(await readFile(join(out, 'scan.nii.gz'))).equals(corrected)).toBe(true);
  await predictInto('again', { inputs, overwrite: true });
  expect((await readFile(join(out, 'scan.nii.gz'))).equals(first)).toBe(true);
  const otherRun = await writeRun(storedWeights, { created: '2020-01-01T00:00:00Z' });
  expect(await refusal(predictInto('again', { inputs, run: otherRun }))).toContain('other.nii.gz: a file of this');
});
