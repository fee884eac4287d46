import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { readSourceSeries } from '../../src/formats/dicom-series.ts';
import { readNifti } from '../../src/formats/nifti.ts';
import { predict } from '../../src/inference/predict.ts';
import { dicomFixtures, writeDicomSeries } from '../formats/dicom-fixtures.ts';
import { edit } from '../formats/reading.ts';
import { items, readSegmentation } from '../formats/segmentation.ts';
import { predictInto, refusal, root, run, scan } from './predicting.ts';
import { labels } from './tiny-run.ts';

/** A folder with two series, of an oblique and of a tilted scanner. */
async function patients(): Promise<string> {
  const folder = await mkdtemp(join(root, 'patients-'));
  for (const [i, fixture] of dicomFixtures.series.entries())
    await rename(await writeDicomSeries(root, fixture), join(folder, `p${i}`));
  return folder;
}

it('writes the voxels of the label map, a segment a label, and the series that they are of', async () => {
  const folder = await patients();
  const format = 'dicom-seg';
  const found = await predictInto('segments', { inputs: [folder], format, probabilities: true });
  expect(found.map(({ output }) => basename(output))).toEqual(['p0.dcm', 'p1.dcm']);
  expect((await readdir(join(root, 'segments'))).length).toBe(4);
  await predictInto('label maps', { inputs: [folder] });
  for (const [i, { input, output }] of found.entries()) {
    const { data, shape } = await readNifti(join(root, 'label maps', `p${i}.nii.gz`));
    const { slices } = await readSourceSeries(input);
    const { dataset, text, frames } = readSegmentation(await readFile(output));
    const segments = items(dataset, 'SegmentSequence').map((item) => text('SegmentLabel', item));
    expect(segments).toEqual(['label 2', 'label 5']);
    const pixels = shape[1] * shape[2];
    const values = new Uint8Array(data.length);
    for (const { segment = 0, source, pixels: bits } of frames) {
      const slice = slices.findIndex(({ sopInstance }) => sopInstance === source);
      bits.forEach((bit, at) => {
        values[slice * pixels + at] += bit * labels[segment].value;
      });
    }
    expect(values).toEqual(data);
    expect(new Set(values).size).toBeGreaterThan(1);
  }
});

it('replaces its own segmentations of the same series, and no others unless it is told', async () => {
  const [one, other] = [await patients(), await patients()].map((folder) => join(folder, 'p0'));
  const segment = (input: string, overwrite = false) =>
    predictInto('again', { inputs: [input], format: 'dicom-seg', overwrite });
  const [{ output }] = await segment(one);
  await segment(one);
  const slice = join(other, '1');
  // Another scan of this name: one slice has other pixels.
  const bytes = await readFile(slice);
  await edit(slice, bytes.toString('latin1', bytes.length - 4), '\x01\x02\x03\x04');
  expect(await refusal(segment(other))).toMatch(/p0\.dcm: the label map of another scan of this name is there\./);
  await segment(other, true);
  await appendFile(output, 'by hand');
  expect(await refusal(segment(other))).toMatch(/p0\.dcm: a file of this name is there, which was not made by this/);
});

it('refuses what is no DICOM series before anything is written, each by its name', async () => {
  const inputs = [scan, await patients()];
  const sentence = await refusal(predictInto('refused', { inputs, format: 'dicom-seg' }));
  expect(sentence).toMatch(/scan\.nii\.gz: this is no DICOM series, to which a DICOM Segmentation would refer\. Give/);
  expect(await readdir(root)).not.toContain('refused');
});

it('passes over a folder of its own segmentations, as over its label maps', async () => {
  const folder = await patients();
  await mkdir(join(folder, 'made'));
  await predict({
    run,
    inputs: [folder],
    out: join(folder, 'made'),
    format: 'dicom-seg',
    device: 'cpu',
    precision: 'fp32',
  });
  const warnings: string[] = [];
  const options = { run, inputs: [folder], out: join(root, 'passed'), device: 'cpu', precision: 'fp32' } as const;
  const found = await predict(options, { onWarning: (sentence) => warnings.push(sentence) });
  expect(found.map(({ input }) => basename(input))).toEqual(['p0', 'p1']);
  expect(warnings).toEqual([expect.stringMatching(/made by this program are passed over: made\.$/)]);
  // With a slice of a scanner among them it may be a series.
  await cp(join(folder, 'p0', '1'), join(folder, 'made', '1'));
  await expect(predict(options)).rejects.toMatchObject({ problems: [expect.stringMatching(/made.*several frames/)] });
});
