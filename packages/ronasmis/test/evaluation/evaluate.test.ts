import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { evaluate, evaluatePairs, toCsv } from '../../src/evaluation/evaluate.ts';
import type { Affine } from '../../src/formats/affine.ts';
import { writeStated } from '../formats/scans.ts';
import { referenceVolume, SHAPE, twoEllipsoids } from './masks.ts';

const AFFINE: Affine = [
  [1.2, 0, 0, 10],
  [0, 0.8, 0, -5],
  [0, 0, 3, 2],
  [0, 0, 0, 1],
];
const NIFTI_SHAPE = [...SHAPE].reverse();

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ronasmis-evaluate-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Writes label maps into a new folder. */
async function folderOf(
  name: string,
  files: Record<string, Uint8Array | Float32Array>,
  affine = AFFINE,
  shape = NIFTI_SHAPE,
) {
  const folder = join(root, name);
  await mkdir(folder);
  for (const [file, data] of Object.entries(files)) await writeStated(join(folder, file), { shape, data, affine });
  return folder;
}

describe('evaluate', () => {
  it('passes over class probabilities that lie beside their label map', async () => {
    const labels = await folderOf('labels of one', { 'a.nii.gz': referenceVolume() });
    const shares = Float32Array.from(referenceVolume(), (value) => value / 3);
    const files = { 'a.nii.gz': twoEllipsoids(0), 'a_probabilities.nii.gz': shares };
    const evaluation = await evaluate(await folderOf('with probabilities', files), labels);
    expect(Object.keys(evaluation.cases)).toEqual(['a']);
    const alone = { 'b_probabilities.nii.gz': shares };
    await expect(evaluate(await folderOf('probabilities alone', alone), labels)).rejects.toThrow(
      /has no label of the same/,
    );
  });

  it('scores each case and class as MONAI does, on the grid in millimetres', async () => {
    const labels = await folderOf('labels', {
      'a.nii.gz': referenceVolume(),
      'b.nii.gz': twoEllipsoids(0),
      'c.nii.gz': twoEllipsoids(0),
    });
    const onlyFirst = twoEllipsoids(0).map((label) => (label === 1 ? 1 : 0));
    const predictions = await folderOf('predictions', { 'a.nii.gz': twoEllipsoids(0), 'b.nii.gz': onlyFirst });
    const evaluation = await evaluate(predictions, labels, { toleranceMillimetres: 2 });

    // MONAI 1.6.1 at spacing (3, 0.8, 1.2), see surface.test.ts; volumes by counting voxels of 2.88 mm3.
    expect(evaluation.cases.a['2'].dice).toBeCloseTo(0.48148149251937866, 6);
    expect(evaluation.cases.a['2'].hd95_mm).toBeCloseTo(12.882204055786133, 5);
    expect(evaluation.cases.a['2'].nsd).toBeCloseTo(0.7424242496490479, 6);
    expect(evaluation.cases.a['1'].prediction_mm3).toBeCloseTo(418 * 2.88, 3);
    expect(evaluation.cases.a['1'].reference_mm3).toBeCloseTo(432 * 2.88, 3);
    expect(evaluation.cases.b['1']).toMatchObject({ dice: 1, hd95_mm: 0, nsd: 1 });
    expect(evaluation.cases.b['2']).toMatchObject({ dice: 0, hd95_mm: null, nsd: 0, prediction_mm3: 0 });
    expect(evaluation.classes['2'].hd95_mm).toMatchObject({ count: 1, deviation: 0 });
    expect(evaluation.dice.mean).toBeCloseTo(((0.6541176438331604 + 0.48148149251937866) / 2 + 0.5) / 2, 6);
    // 12.706204736432095 is scipy.stats.t.ppf(0.975, 1).
    expect(evaluation.dice_interval?.low).toBeCloseTo(0.1031622, 6);
    expect(evaluation.dice_interval?.high).toBeCloseTo(0.9646374, 6);
    expect(evaluation.without_prediction).toEqual(['c']);
  });

  it("gives each class the Dice and the mean that nnU-Net's evaluate_folder gives it", async () => {
    const onlyFirst = (labels: Uint8Array): Uint8Array => labels.map((label) => (label === 1 ? 1 : 0));
    const labels = await folderOf('labels of nnU-Net', {
      'a.nii.gz': referenceVolume(),
      'b.nii.gz': twoEllipsoids(0),
      'c.nii.gz': onlyFirst(referenceVolume()),
    });
    const predictions = await folderOf('predictions of nnU-Net', {
      'a.nii.gz': twoEllipsoids(0),
      'b.nii.gz': onlyFirst(twoEllipsoids(0)),
      'c.nii.gz': onlyFirst(twoEllipsoids(0)),
    });
    const { cases, classes } = await evaluate(predictions, labels);
    // nnunetv2 2.8.1, compute_metrics_on_folder on these files with labels [1, 2]; what it calls NaN is null here.
    const expected = { a: [0.6541176470588236, 0.48148148148148145], b: [1, 0], c: [0.6541176470588236, null] };
    for (const [name, dice] of Object.entries(expected)) {
      expect([cases[name]['1'].dice, cases[name]['2'].dice]).toEqual(dice);
    }
    expect(classes['1'].dice?.mean).toBeCloseTo(0.7694117647058825, 12);
    expect(classes['2'].dice?.mean).toBeCloseTo(0.24074074074074073, 12);
  });

  it('writes its scores as comma-separated values', () => {
    const scores = {
      dice: 0.5,
      hd95_mm: null,
      nsd: 0.25,
      prediction_mm3: 10,
      reference_mm3: 12.5,
      false_positive_mm3: 2,
    };
    const table = toCsv({ cases: { a: { 1: scores, 2: { ...scores, dice: null } }, 'b, "new"': { 1: scores } } });
    expect(table.split('\n')).toEqual([
      'case,label,dice,hd95_mm,nsd,prediction_mm3,reference_mm3,false_positive_mm3',
      'a,1,0.5,,0.25,10,12.5,2',
      'a,2,,,0.25,10,12.5,2',
      '"b, ""new""",1,0.5,,0.25,10,12.5,2',
      '',
    ]);
  });

  const bad = async (name: string, data: Uint8Array | Float32Array, affine = AFFINE, shape = NIFTI_SHAPE) => {
    const labels = await folderOf(`${name}-labels`, { 'a.nii.gz': referenceVolume() });
    const predictions = await folderOf(`${name}-predictions`, { 'a.nii.gz': data }, affine, shape);
    return evaluate(predictions, labels, { toleranceMillimetres: 1 });
  };

  it('names the file and the fix of what does not fit', async () => {
    const shifted: Affine = [[1.2, 0, 0, 11], ...AFFINE.slice(1)];
    await expect(bad('affine', referenceVolume(), shifted)).rejects.toThrow(
      /a\.nii\.gz: its corners lie up to 1\.00 mm \(0\.833 voxels\) from those of .*a\.nii\.gz\. Write/,
    );
    await expect(bad('shape', referenceVolume(), AFFINE, [20, 18, 12])).rejects.toThrow(
      /its 20 x 18 x 12 voxels do not fit the 18 x 20 x 12 of/,
    );
    await expect(
      bad(
        'values',
        Float32Array.from(referenceVolume(), (v) => v / 2),
      ),
    ).rejects.toThrow(/the value 0\.5/);
    await expect(bad('empty', new Uint8Array(referenceVolume().length))).resolves.toMatchObject({ dice: { mean: 0 } });
    const missing = evaluate(join(root, 'nowhere'), root, { toleranceMillimetres: 1 });
    await expect(missing).rejects.toBeInstanceOf(UserError);
    await expect(missing).rejects.toThrow(/nowhere: there is no such folder/);
  });

  it('scores what it can, and lists in order what it can not', async () => {
    const labels = await folderOf('some-labels', {
      'a.nii.gz': referenceVolume(),
      'b.nii.gz': referenceVolume(),
      'c.nii.gz': referenceVolume(),
      'd.nii.gz': referenceVolume(),
      'd.nii': referenceVolume(),
    });
    const predictions = await folderOf('many-predictions', {
      'a.nii.gz': Float32Array.from(referenceVolume(), (value) => value / 2),
      'b.nii.gz': referenceVolume(),
      'c.nii.gz': referenceVolume(),
      'd.nii.gz': referenceVolume(),
      'z.nii': referenceVolume(),
    });
    await writeFile(join(predictions, 'c.nii.gz'), 'no label map');
    const { problems, cases, dice, without_prediction } = await evaluate(predictions, labels);
    expect(problems).toEqual([
      expect.stringMatching(/a\.nii\.gz holds the value 0\.5, so it is no label map/),
      expect.stringMatching(/c\.nii\.gz: this is not a NIfTI file/),
      expect.stringMatching(/labels.d\.nii\.gz: d\.nii has the same name\. Keep one of the two\.$/),
      expect.stringMatching(/z\.nii has no label of the same name/),
    ]);
    expect([Object.keys(cases), dice.mean, without_prediction]).toEqual([['b'], 1, []]);
  });

  it('scores files that are named one by one, wherever they lie, or says of all that can not be', async () => {
    const labels = await folderOf('one-by-one', { 'x.nii.gz': referenceVolume(), 'y.nii.gz': twoEllipsoids(0) });
    const predictions = await folderOf('others', { 'p.nii.gz': twoEllipsoids(0) });
    const pairs = ['x', 'y'].map((name) => ({
      name,
      prediction: join(predictions, 'p.nii.gz'),
      reference: join(labels, `${name}.nii.gz`),
    }));
    const { cases } = await evaluatePairs(pairs, { regions: [{ name: 'both', values: [1, 2] }] });
    expect(cases.y.both.dice).toBe(1);
    expect(Object.keys(cases.x)).toEqual(['both']);
    const gone = pairs.map((pair) => ({ ...pair, prediction: join(predictions, `${pair.name}.nii.gz`) }));
    await expect(evaluatePairs([pairs[0], ...gone])).rejects.toThrow(/x\.nii\.gz.*no such file.*\n.*y\.nii\.gz/);
  });
});
