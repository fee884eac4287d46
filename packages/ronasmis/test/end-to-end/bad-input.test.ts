import { access, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/random.ts';
import { search } from '../../src/search/search.ts';
import { run as ronasmis, writeRunFolder } from '../cli/run.ts';
import { boxCase, straight, type TestCase, temporaryFolder, writeDataSet } from '../data/scans.ts';

const root = await temporaryFolder();
const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const sound = names.map((name, i) => boxCase(name, createRandom(i + 1), [16, 16, 16]));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A sentence for the user, and nothing of how the program is built. */
function expectSentence({ code, stdout, stderr }: Outcome, sentence: RegExp): void {
  expect(stderr).toMatch(sentence);
  expect(stderr).toMatch(/^error: .*\.$/m);
  expect(stderr).not.toMatch(/^ +at |defect|TypeError/m);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
}

/** Searches on a data set; what is wrong with it must be said before training starts. */
async function expectRefused(dataSet: string, sentence: RegExp, ...options: readonly string[]): Promise<void> {
  const out = join(await mkdtemp(join(root, 'out-')), 'run');
  const outcome = await ronasmis('search', dataSet, '--out', out, '--epochs', '1', '--folds', '3', ...options);
  expectSentence(outcome, sentence);
  expect(outcome.stderr).not.toMatch(/step 1|Training/);
  await expect(access(join(out, 'run.json'))).rejects.toThrow();
}

/** A data set in which case 'c' is another one. */
async function dataSetWith(change: (soundCase: TestCase) => TestCase): Promise<string> {
  const folder = await mkdtemp(join(root, 'data-'));
  return writeDataSet(
    folder,
    sound.map((entry) => (entry.name === 'c' ? change(entry) : entry)),
  );
}

const image = (folder: string) => join(folder, 'imagesTr', 'c.nii.gz');
const label = (folder: string) => join(folder, 'labelsTr', 'c.nii.gz');

describe('a data set that cannot be searched on is refused before training, with exit code 2 and a sentence', () => {
  it('without dataset.json', async () => {
    const folder = await dataSetWith((entry) => entry);
    await rm(join(folder, 'dataset.json'));
    await expectRefused(folder, /data-\w+: it holds no readable dataset\.json\. Give a folder in the layout/);
    await expectRefused(join(folder, 'nowhere'), /nowhere: there is no such folder\. Give the folder/);
  });

  it('with a dataset.json that is none', async () => {
    const folder = await dataSetWith((entry) => entry);
    await writeFile(join(folder, 'dataset.json'), '{"labels": [');
    await expectRefused(folder, /dataset\.json: this is not valid JSON .* Correct it there/);
  });

  it('with a label without its image, or an image without its label', async () => {
    const folder = await dataSetWith((entry) => entry);
    await rm(image(folder));
    await expectRefused(folder, /imagesTr.c\.nii\.gz: listed as an image in dataset\.json, but not there\. Add it/);
    // Without a list of cases, the folders' files are the cases.
    const { training, ...description } = JSON.parse(await readFile(join(folder, 'dataset.json'), 'utf8'));
    expect(training).toHaveLength(6);
    await writeFile(join(folder, 'dataset.json'), JSON.stringify(description));
    await expectRefused(folder, /labelsTr.c\.nii\.gz: no image of this name in imagesTr\. Add it/);
    const other = await dataSetWith((entry) => entry);
    await rm(label(other));
    await expectRefused(other, /labelsTr.c\.nii\.gz: listed as a label in dataset\.json, but not there\. Add it/);
  });

  it('with an image and a label of different shapes', async () => {
    const smaller = boxCase('c', createRandom(1), [16, 16, 15]);
    const folder = await dataSetWith((entry) => ({ ...entry, label: smaller.label }));
    const sentence = /labelsTr.c\.nii\.gz: its 16 x 16 x 15 voxels do not fit the 16 x 16 x 16 of .*Export the label/;
    await expectRefused(folder, sentence);
  });

  it('with an image and a label of different affines', async () => {
    const folder = await dataSetWith((entry) => ({
      ...entry,
      label: { ...entry.label, affine: straight(1, 1, 1, 3) },
    }));
    await expectRefused(folder, /labelsTr.c\.nii\.gz: it is placed differently .*by up to 3\.00 mm.*Export the label/);
  });

  it('with a truncated gzip file', async () => {
    const folder = await dataSetWith((entry) => entry);
    await truncate(image(folder), 1000);
    await expectRefused(folder, /imagesTr.c\.nii\.gz: .*(truncated|incomplete|damaged|cut short|ends).*\./);
  });

  it('with voxels that are not numbers', async () => {
    const folder = await dataSetWith((entry) => {
      const data = Float32Array.from(entry.image.data);
      data[1234] = Number.NaN;
      return { ...entry, image: { ...entry.image, data } };
    });
    await expectRefused(folder, /imagesTr.c\.nii\.gz: channel 0 holds voxels that are not numbers.*Replace them/);
  });

  it('with a label value that dataset.json does not list', async () => {
    const folder = await dataSetWith((entry) => ({
      ...entry,
      label: { ...entry.label, data: Uint8Array.from(entry.label.data, (value) => (value === 2 ? 7 : value)) },
    }));
    await expectRefused(folder, /labelsTr.c\.nii\.gz: it holds label values that dataset\.json does not list: 7\. Add/);
  });

  it('with an empty label', async () => {
    const folder = await dataSetWith((entry) => ({
      ...entry,
      label: { ...entry.label, data: new Uint8Array(16 ** 3) },
    }));
    await expectRefused(folder, /labelsTr.c\.nii\.gz: the label is empty .*Segment it or remove the case/);
  });

  it('with a 2D image', async () => {
    const flat = boxCase('c', createRandom(1), [16, 16, 1]);
    const folder = await dataSetWith(() => ({
      ...flat,
      image: { ...flat.image, shape: [16, 16] },
      label: { ...flat.label, shape: [16, 16] },
    }));
    await expectRefused(folder, /imagesTr.c\.nii\.gz: this is a 2D image \(16 x 16 voxels\)\. Give 3D scans/);
  });

  it('with other channels than dataset.json lists', async () => {
    const folder = await dataSetWith(() => boxCase('c', createRandom(1), [16, 16, 16], 2));
    await expectRefused(folder, /imagesTr.c\.nii\.gz: it has 2 channels, but dataset\.json lists 1 \(MRI\)/);
  });

  it('with every problem at once, each in its line', async () => {
    const folder = await dataSetWith((entry) => ({
      ...entry,
      label: { ...entry.label, data: new Uint8Array(16 ** 3) },
    }));
    await truncate(join(folder, 'imagesTr', 'a.nii.gz'), 1000);
    await expectRefused(folder, /a\.nii\.gz: .*\n.*c\.nii\.gz: the label is empty/);
  });

  it('in JSON for who asked for it', async () => {
    const folder = await dataSetWith((entry) => entry);
    await rm(label(folder));
    const { code, stdout } = await ronasmis('search', folder, '--out', join(root, 'json'), '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error).toMatch(/labelsTr.c\.nii\.gz: listed as a label/);
  });
});

describe('options that do not fit are refused in the same way', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await dataSetWith((entry) => entry);
  });

  it('more folds than cases', () =>
    expectRefused(folder, /has 6 cases, too few for 9 folds.*lower --folds/, '--folds', '9'));

  it('a time that is too small for one controller step', async () => {
    const sentence = /--time 2s is too short: .*one controller step and the report take about \d+ s .*--time \d+s/;
    await expectRefused(folder, sentence, '--time', '2s');
  });

  it('unknown options and values', async () => {
    for (const option of ['--foo', '--space=none', '--epochs=x', '--precision=fp8']) {
      const outcome = await ronasmis('search', folder, '--out', join(root, 'never'), option);
      expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^error: /) });
      await expect(access(join(root, 'never'))).rejects.toThrow();
    }
  });

  it('an output folder that cannot be written', async () => {
    await writeFile(join(root, 'file'), '');
    for (const out of [join(root, 'file', 'run'), '/proc/run']) {
      const outcome = await ronasmis('search', folder, '--out', out, '--folds', '3');
      expectSentence(outcome, /run cannot be written \(.*\): give another folder with --out/);
    }
  });

  it('an output folder that holds a run', async () => {
    const taken = join(root, 'taken');
    await writeRunFolder(taken, false);
    const outcome = await ronasmis('search', folder, '--out', taken);
    expectSentence(outcome, /taken holds a run already: go on with it by 'ronasmis resume .*taken', or give another/);
  });
});

describe('resume refuses', () => {
  it('what is no run', async () => {
    expectSentence(await ronasmis('resume', root), /is no run folder, for it has no run\.json: name the folder/);
    expectSentence(await ronasmis('resume', join(root, 'nowhere')), /nowhere is no run folder/);
  });

  it('a run whose data set has changed, and goes on when the change is undone', async () => {
    const dataSet = await dataSetWith((entry) => entry);
    const run = join(root, 'stopped');
    const stop = new AbortController();
    const options = {
      children: 1,
      controller: 'reinforce',
      space: 'macro',
      augment: false,
      epochs: 1,
      folds: 3,
      fold: 0,
      device: 'cpu',
      precision: 'fp32',
      seed: 1,
    } as const;
    const hooks = {
      signal: stop.signal,
      onProgress: ({ phase }: { phase: string }) => phase === 'train' && stop.abort(),
    };
    await expect(search({ dataSet, out: run, ...options }, hooks)).rejects.toMatchObject({ name: 'AbortError' });
    const changed = join(dataSet, 'imagesTr', 'c.nii.gz');
    const original = await readFile(changed);
    await writeFile(changed, await readFile(join(dataSet, 'imagesTr', 'd.nii.gz')));
    expectSentence(await ronasmis('resume', run), /data-\w+ has changed since .*stopped was begun: undo the change/);
    await writeFile(changed, original);
    expect((await ronasmis('resume', run, '--json')).code).toBe(0);
  });
});
