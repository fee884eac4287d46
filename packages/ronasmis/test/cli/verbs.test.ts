import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Affine } from '../../src/formats/affine.ts';
import { writeNifti } from '../../src/formats/nifti.ts';
import { referenceVolume, SHAPE, twoEllipsoids } from '../evaluation/masks.ts';
import { MICRO_ARCHITECTURE, reportContent } from '../report/content.ts';
import { dataset, fingerprint } from '../systems/nnunet/described.ts';
import { run, writeRunFolder } from './run.ts';

const { predict, IncompletePrediction } = vi.hoisted(() => {
  class IncompletePrediction extends Error {
    readonly predictions = [{ input: 'a.nii.gz', output: 'out/a.nii.gz', seconds: 1 }];
    readonly problems = ['b.nii.gz: the file is empty.', 'c.nii.gz: the file is damaged.'];
  }
  return { predict: vi.fn(), IncompletePrediction };
});
vi.mock('../../src/inference/predict.ts', () => ({ predict, IncompletePrediction }));
vi.mock('@ronasmis/libtorch', () => {
  throw new Error('libtorch is not there');
});

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ronasmis-verbs-'));
});
afterAll(() => rm(root, { recursive: true }));

const AFFINE: Affine = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];
const writeVolume = (path: string, data: Uint8Array | Float32Array) =>
  writeNifti(path, { shape: SHAPE, data, affine: AFFINE });

async function dataSet(name: string, cases: number): Promise<string> {
  const folder = join(root, name);
  await mkdir(join(folder, 'imagesTr'), { recursive: true });
  await mkdir(join(folder, 'labelsTr'));
  const training = Array.from({ length: cases }, (_, i) => ({
    image: `imagesTr/${i}.nii.gz`,
    label: `labelsTr/${i}.nii.gz`,
  }));
  for (const [i, { image, label }] of training.entries()) {
    await writeVolume(
      join(folder, image),
      Float32Array.from(referenceVolume(), (v, voxel) => v + Math.sin(voxel + i)),
    );
    await writeVolume(join(folder, label), twoEllipsoids(i % 3));
  }
  const labels = { 0: 'background', 1: 'outer', 2: 'inner' };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify({ name, labels, modality: { 0: 'MRI' }, training }));
  return folder;
}

describe('show', () => {
  it('prints what a finished search found', async () => {
    const folder = join(root, 'finished');
    await writeRunFolder(folder, true);
    const { code, stdout } = await run('show', folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^0 +32x48x32 +16 +dilation 1 · LeakyReLU +dilation 1 · ReLU +0, 1$/m);
    expect(stdout).toMatch(/^4 +4x6x4 +256 +2x1x1 +dilation 1 · LeakyReLU$/m);
    expect(stdout).toMatch(/reward +▁.*█/);
    expect(stdout).toMatch(/^entropy +█.*▁.* nats$/m);
    expect(stdout).toContain('(reinforce in the macro space, 5 controller steps, 300 training steps)');
    expect(stdout).toContain('15 min 2 s, 2.0 GiB at most, 1.26 M parameters, cpu in bf16');
    expect(stdout).not.toContain('\u001b');
    const { report, architecture, events } = reportContent(5);
    expect(JSON.parse((await run('show', folder, '--json')).stdout)).toMatchObject({ report, architecture, events });
  });

  it('names what small components are removed of', async () => {
    const folder = join(root, 'cleaned');
    await writeRunFolder(folder, true);
    expect((await run('show', folder)).stdout).not.toContain('Cleaned');
    await writeFile(join(folder, 'report.json'), JSON.stringify({ ...reportContent(5).report, cleaned_classes: [2] }));
    expect((await run('show', folder)).stdout).toMatch(/^Cleaned +small components of Posterior & <tail>$/m);
  });

  it('prints the cell of a child of the micro space', async () => {
    const folder = join(root, 'micro');
    await writeRunFolder(folder, true);
    await writeFile(join(folder, 'architecture.json'), JSON.stringify(MICRO_ARCHITECTURE));
    const { code, stdout } = await run('show', folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^4 +4x6x4 +256 +2x1x1 +cell$/m);
    expect(stdout).toMatch(/^node 1 +3x3x3 convolution of input +identity of input$/m);
    expect(stdout).toMatch(/^node 3 +identity of node 1 +dilated 3x3x3 convolution of input$/m);
    expect(stdout).toMatch(/^output +node 2 \+ node 3$/m);
  });

  it('says which run a search started from, in one line', async () => {
    const folder = join(root, 'started');
    await writeRunFolder(folder, true);
    expect((await run('show', folder)).stdout).not.toContain('Started from');
    const path = join(folder, 'run.json');
    const record = JSON.parse(await readFile(path, 'utf8'));
    const settings = { ...record.settings, from: { run: '/runs/earlier', key: '0123456789abcdef' } };
    const taken_over = { taken: 60, adapted: 3, drawn_anew: 22 };
    await writeFile(path, JSON.stringify({ ...record, settings, taken_over }));
    const { code, stdout } = await run('show', folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Started from {2}\/runs\/earlier \(60 weights taken over, 3 adapted, 22 drawn anew\)$/m);
  });

  it('says nothing of an entropy where the controller has none', async () => {
    const folder = join(root, 'evolution');
    await writeRunFolder(folder, true);
    const path = join(folder, 'events.jsonl');
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll(/"entropy":[^,]+/g, '"entropy":null'));
    const { code, stdout } = await run('show', folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/reward +▁.*█/);
    expect(stdout).not.toContain('entropy');
  });

  it('says of a search that has not ended how to go on, and passes over a line cut short', async () => {
    const folder = join(root, 'killed');
    await writeRunFolder(folder, false);
    await appendFile(join(folder, 'events.jsonl'), '{"step": 6, "sec');
    const { code, stdout } = await run('show', folder);
    expect(code).toBe(0);
    expect(stdout).toContain('5 controller steps, 300 training steps)');
    expect(stdout).toContain(`ronasmis resume ${folder}`);
  });

  it('refuses what is no run folder and what is damaged', async () => {
    expect(await run('show', root)).toMatchObject({ code: 2, stderr: expect.stringMatching(/no run folder/) });
    const folder = join(root, 'damaged');
    await writeRunFolder(folder, true);
    await writeFile(join(folder, 'architecture.json'), '{"patch": 3}');
    expect(await run('show', folder)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/architecture\.json is damaged/),
    });
  });
});

describe('inspect', () => {
  it('prints the fingerprint of a sound data set', async () => {
    const folder = await dataSet('sound', 5);
    const { code, stdout } = await run('inspect', folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sound {2}5 cases, 1 channel, \d+ MiB$/m);
    expect(stdout).toMatch(/^Voxel axes {2}RAS$/m);
    expect(stdout).toMatch(/^voxels +18 x 20 x 12 +18 x 20 x 12 +18 x 20 x 12$/m);
    expect(stdout).toMatch(/^MRI( +-?[\d.]+){5}$/m);
    expect(stdout).toMatch(/^outer +1 +\d+\.\d+$/m);
    expect(JSON.parse((await run('inspect', folder, '--json')).stdout).fingerprint).toMatchObject({ cases: 5 });
  });

  it('writes a page beside what it prints, also where there are errors', async () => {
    const folder = await dataSet('few', 3);
    const file = join(root, 'few.html');
    const { code, stdout, stderr } = await run('inspect', folder, '--html', file, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout).problems).not.toHaveLength(0);
    expect(stderr).toContain(`Page: ${file}\n`);
    const page = await readFile(file, 'utf8');
    expect(page).toMatch(/^<!doctype html>.*fewer than the 5 folds.*slice \d+ of 12/s);
    // It is replaced as long as it is the same data set's and nobody has written into it.
    expect((await run('inspect', folder, '--html', file)).stderr).toContain(`Page: ${file}\n`);
    const others = await run('inspect', await dataSet('fewer', 3), '--html', file);
    expect(others).toMatchObject({ code: 2, stderr: expect.stringContaining('few.html: a file of this name') });
    const noted = page.replace('</main>', '<p>A note</p></main>');
    await writeFile(file, noted);
    expect((await run('inspect', folder, '--html', file)).stderr).toContain('few.html: a file of this name');
    expect(await readFile(file, 'utf8')).toBe(noted);
  });

  it('ends with 2 where there are errors, with the whole list on standard output', async () => {
    const { code, stdout } = await run('inspect', await dataSet('small', 3));
    expect(code).toBe(2);
    expect(stdout).toMatch(/error: .*dataset\.json|error: .*small/);
    expect((await run('inspect', join(root, 'nowhere'))).code).toBe(2);
  });
});

describe('plan', () => {
  const files = async () => {
    const [fingerprintFile, datasetFile] = ['dataset_fingerprint.json', 'dataset.json'].map((name) => join(root, name));
    await writeFile(fingerprintFile, JSON.stringify(fingerprint));
    await writeFile(datasetFile, JSON.stringify(dataset));
    return ['--fingerprint', fingerprintFile, '--dataset-json', datasetFile];
  };

  it('prints the configurations and their stages', async () => {
    const { code, stdout } = await run('plan', ...(await files()), '--preset', 'm');
    expect(code).toBe(0);
    expect(stdout).toMatch(/ {2}nnUNetPlannerResEncM\nAxes +depth, height, width of the scans\n/);
    // nnunetv2 2.8.1: compute_conv_feature_map_size gives 652,672,512 of the 680,000,000 values that are for 8 GB: 7.68 GB.
    expect(stdout).toMatch(/^3d_fullres +48 x 192 x 192 +2 +2\.1 x 0\.75 x 0\.75 +119 x 478 x 478 +yes +7\.7 GiB$/m);
    expect(stdout).toMatch(/^3d_lowres {2}ResidualEncoderUNet\nstage +features +kernel +stride +blocks$/m);
    expect(stdout).toMatch(/^3 +256 +3 x 3 x 3 +2 x 2 x 2 +6$/m);
  });

  it('prints the plans as nnU-Net writes them, from two files or from a data set', async () => {
    const { stdout } = await run('plan', ...(await files()), '--json');
    expect(JSON.parse(stdout).configurations['3d_fullres'].patch_size).toEqual([48, 224, 192]);
    const folder = await dataSet('planned', 2);
    const planned = JSON.parse((await run('plan', folder, '--json')).stdout);
    expect(planned).toMatchObject({ dataset_name: 'planned', experiment_planner_used: 'ExperimentPlanner' });
    const alone = await run('plan', join(folder, 'imagesTr'), '--labels', join(folder, 'labelsTr'), '--json');
    expect(JSON.parse(alone.stdout).configurations).toEqual(planned.configurations);
  });
});

describe('predict', () => {
  it('hands runs and inputs on and prints where the label maps are', async () => {
    predict.mockResolvedValue([{ input: 'scan.nii.gz', output: 'out/scan.nii.gz', seconds: 0.1234 }]);
    const { code, stdout } = await run('predict', 'runs/a', 'x.nii.gz', 'more', '--out', 'out', '--device', 'cpu');
    expect(code).toBe(0);
    expect(predict.mock.calls[0][0]).toEqual({
      run: 'runs/a',
      inputs: ['x.nii.gz', 'more'],
      out: 'out',
      format: 'nifti',
      device: 'cpu',
      precision: 'auto',
    });
    expect(stdout).toMatch(/out\/scan\.nii\.gz +0\.12/);
  });
});

describe('predict of a batch with bad scans', () => {
  it('prints what was written, then every problem in a line of its own, and ends with 2', async () => {
    predict.mockRejectedValue(new IncompletePrediction());
    const { code, stdout, stderr } = await run('predict', 'runs/a', 'more', '--out', 'out');
    expect(code).toBe(2);
    expect(stdout).toMatch(/out\/a\.nii\.gz +1\.00/);
    expect(stderr).toBe('error: b.nii.gz: the file is empty.\nerror: c.nii.gz: the file is damaged.\n');
    const json = await run('predict', 'runs/a', 'more', '--out', 'out', '--json');
    const { predictions, problems } = new IncompletePrediction();
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toEqual({ predictions, problems });
  });
});

describe('doctor', () => {
  it('says what is missing and ends with 2', async () => {
    const { code, stdout } = await run('doctor');
    expect(code).toBe(2);
    expect(stdout).toMatch(/error: libtorch cannot be used .*: run "npm run setup"/);
    const diagnosis = JSON.parse((await run('doctor', '--json')).stdout);
    expect(diagnosis).toMatchObject({ ready: false, engine: null, precision: null, node: process.versions.node });
  });
});
