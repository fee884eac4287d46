import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Affine } from '../../src/formats/affine.ts';
import { writeNifti } from '../../src/formats/nifti.ts';
import { referenceVolume, SHAPE, twoEllipsoids } from '../evaluation/masks.ts';
import { run } from './run.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ronasmis-evaluate-verb-'));
});
afterAll(() => rm(root, { recursive: true }));

const AFFINE: Affine = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];
const writeVolume = (path: string, data: Uint8Array) => writeNifti(path, { shape: SHAPE, data, affine: AFFINE });

describe('evaluate', () => {
  it('takes empty predictions of healthy scans as what they are', async () => {
    const folders = [join(root, 'healthy', 'predictions'), join(root, 'healthy', 'labels')];
    const csv = join(root, 'healthy', 'scores.csv');
    for (const folder of folders) {
      await mkdir(folder, { recursive: true });
      for (const name of ['a', 'b'])
        await writeVolume(join(folder, `${name}.nii.gz`), new Uint8Array(referenceVolume().length));
    }
    const { code, stdout, stderr } = await run('evaluate', ...folders, '--csv', csv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^Mean Dice -, 2 cases\nNothing is labelled in any prediction nor in its label map: there are 0 mm3 of/,
    );
    expect(await readFile(csv, 'utf8')).toBe(
      'case,label,dice,hd95_mm,nsd,prediction_mm3,reference_mm3,false_positive_mm3\n',
    );
    expect(JSON.parse((await run('evaluate', ...folders, '--json')).stdout)).toMatchObject({
      dice: { mean: null, classes: {}, cases: { a: {}, b: {} } },
      dice_interval: null,
      classes: {},
      cases: { a: {}, b: {} },
      problems: [],
    });
    // One of them with something else in it is a Dice of 0 again.
    await writeVolume(join(folders[0], 'b.nii.gz'), twoEllipsoids(0));
    const found = await run('evaluate', ...folders);
    expect(found.code).toBe(0);
    expect(found.stdout).toContain('Mean Dice 0.00 %, 2 cases');
  });

  it('prints scores by case and class, and what counts nowhere', async () => {
    const [predictions, labels] = [join(root, 'predictions'), join(root, 'labels')];
    await mkdir(predictions);
    await mkdir(labels);
    await writeVolume(join(predictions, 'a.nii.gz'), twoEllipsoids(0));
    await writeVolume(join(labels, 'a.nii.gz'), referenceVolume());
    await writeVolume(join(labels, 'b.nii.gz'), referenceVolume());
    const { code, stdout, stderr } = await run('evaluate', predictions, labels, '--tolerance', '2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^a +2 +48\.15 +7\.10 +87\.88 +73 +89 +34$/m);
    expect(stdout).toMatch(/^2 +48\.15 ± 0\.00/m);
    expect(stdout).toContain('Mean Dice 56.78 %, 1 case');
    expect(stderr).toContain(`warning: ${predictions}: labels without a prediction, which count nowhere: b.`);
    const csv = join(root, 'scores.csv');
    expect((await run('evaluate', predictions, labels, '--csv', csv)).code).toBe(0);
    expect(await readFile(csv, 'utf8')).toMatch(
      /^case,label,dice,.*\na,1,0\.654\d*,[\d.]+,[\d.]+,[\d.]+,[\d.]+,[\d.]+\na,2,0\.481/,
    );
    expect((await run('evaluate', predictions, labels, '--csv', join(root, 'nowhere', 'a.csv'))).code).toBe(2);
    // Its own table is replaced, another one only where that is said, and that of the labels never.
    expect((await run('evaluate', predictions, labels, '--csv', csv)).code).toBe(0);
    const table = await readFile(csv, 'utf8');
    for (const noted of [table.replaceAll(/$/gm, ','), `${table}a note\n`, 'case,label,dice,reader\na,1,0.5,X\n']) {
      await writeFile(csv, noted);
      expect((await run('evaluate', predictions, labels, '--csv', csv)).code).toBe(2);
      expect(await readFile(csv, 'utf8')).toBe(noted);
    }
    await writeFile(csv, 'case,age\na,50\n');
    const refused = await run('evaluate', predictions, labels, '--csv', csv);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('scores.csv: a file of') });
    expect((await run('evaluate', predictions, labels, '--csv', csv, '--overwrite')).code).toBe(0);
    expect(await readFile(csv, 'utf8')).toMatch(/^case,label/);
    const json = JSON.parse((await run('evaluate', predictions, labels, '--json')).stdout);
    expect(json).toMatchObject({
      tolerance_mm: 1,
      without_prediction: ['b'],
      cases: { a: { '2': { prediction_mm3: 73 } } },
    });
  });

  it('prints the scores of the others where a prediction can not be scored, and ends with 2', async () => {
    const [predictions, labels] = [join(root, 'predictions'), join(root, 'labels')];
    await writeFile(join(predictions, 'b.nii.gz'), '');
    const { code, stdout, stderr } = await run('evaluate', predictions, labels);
    expect(code).toBe(2);
    expect(stdout).toContain('Mean Dice 56.78 %, 1 case');
    expect(stderr).toMatch(/^error: .*b\.nii\.gz: the file is empty\..*\n$/);
    expect(JSON.parse((await run('evaluate', predictions, labels, '--json')).stdout).problems).toHaveLength(1);
  });
});
