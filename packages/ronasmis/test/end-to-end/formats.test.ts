import { cp, mkdir, mkdtemp, readdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { imageOf, labelOf, prepareDataSet } from '../../src/preparation/prepare.ts';
import { boxCase, metaImageBytes, nrrdBytes, straight, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { ronasmis, startScript } from './command.ts';

const root = await temporaryFolder();
const affine = straight(0.8, 0.9, 2.5, -31);
const cases = ['a', 'b', 'c', 'd', 'e'].map((name, i) => {
  const { image, label } = boxCase(name, createRandom(i + 1), [16, 15, 14]);
  return { name, image: { ...image, affine }, label: { ...label, affine } };
});

/** Images in NRRD and label maps in MetaImage, in the layout of nnU-Net or as two folders. */
async function writeOthers(): Promise<string> {
  const folder = await mkdtemp(join(root, 'others-'));
  for (const sub of ['imagesTr', 'labelsTr']) await mkdir(join(folder, sub));
  for (const { name, image, label } of cases) {
    await writeFile(join(folder, 'imagesTr', `${name}_0000.nrrd`), nrrdBytes(image));
    await writeFile(join(folder, 'labelsTr', `${name}.mha`), metaImageBytes(label));
  }
  const labels = { background: 0, box: 1, core: 2 };
  const description = { channel_names: { 0: 'MRI' }, labels, numTraining: cases.length, file_ending: '.nrrd' };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(description));
  return folder;
}

let others: string;
beforeAll(async () => {
  others = await writeOthers();
});

describe('a data set in NRRD and MetaImage', () => {
  it('is prepared as its copy in NIfTI is', async () => {
    const options = { folds: 5, cacheFolder: join(root, 'cache') };
    const [expected, prepared] = [
      await prepareDataSet(await readDataSet(await writeDataSet(join(root, 'nifti'), cases)), options),
      await prepareDataSet(await readDataSet(others), options),
    ];
    expect(prepared.warnings).toEqual(expected.warnings);
    prepared.cases.forEach((one, i) => {
      expect([one.name, one.shape]).toEqual([expected.cases[i].name, expected.cases[i].shape]);
      expect(imageOf(one)).toEqual(imageOf(expected.cases[i]));
      expect(labelOf(one)).toEqual(labelOf(expected.cases[i]));
    });
    expect(prepared.fingerprint.orientations).toEqual({ RAS: 5 });
  });

  it('passes inspect, in both layouts', async () => {
    const { code, stdout } = await ronasmis('inspect', others, '--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { fingerprint: { cases: 5 }, problems: [] }]);
    const folders = await ronasmis('inspect', join(others, 'imagesTr'), '--labels', join(others, 'labelsTr'));
    expect(folders).toMatchObject({ code: 0, stdout: expect.stringContaining('No problem found.') });
  });

  it('is refused with a sentence where a file is damaged, and ITK prints nothing', async () => {
    const folder = await writeOthers();
    await truncate(join(folder, 'imagesTr', 'c_0000.nrrd'), 1000);
    const { code, stdout, stderr } = await ronasmis('inspect', folder, '--json');
    expect(code).toBe(2);
    expect(stderr).not.toMatch(/exception|pipeline/i);
    expect(JSON.parse(stdout).problems[0]).toMatchObject({
      severity: 'error',
      message: expect.stringMatching(/c_0000\.nrrd: it is damaged, truncated or .* again\.$/),
    });
  });
});

it('without the packages that read other formats, they are named', async () => {
  const modules = fileURLToPath(new URL('../../../../node_modules/', import.meta.url));
  const installed = await mkdtemp(join(root, 'installed-'));
  await mkdir(join(installed, 'node_modules'));
  for (const name of await readdir(modules)) {
    if (!/itk-wasm|^ronasmis$|^\./.test(name))
      await symlink(join(modules, name), join(installed, 'node_modules', name));
  }
  for (const part of ['bin', 'dist', 'package.json']) {
    const from = fileURLToPath(new URL(`../../${part}`, import.meta.url));
    await cp(from, join(installed, 'ronasmis', part), { recursive: true });
  }
  const labels = join(others, 'labelsTr');
  const program = join(installed, 'ronasmis', 'bin', 'ronasmis.mjs');
  const { code, stderr } = await startScript(program, 'evaluate', labels, labels).ended;
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^error: .*labelsTr.a\.mha: .* package @itk-wasm\/image-io is needed\. Install it with "npm install @itk-wasm\/image-io"\.$/m,
  );
});
