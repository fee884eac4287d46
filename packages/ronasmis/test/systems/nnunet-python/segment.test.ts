import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { createRandom } from '../../../src/base/random.ts';
import { niftiMaker, readNifti } from '../../../src/formats/nifti.ts';
import { segment } from '../../../src/systems/nnunet-python/segment.ts';
import { train } from '../../../src/systems/nnunet-python/train.ts';
import { boxCase, straight, temporaryFolder, writeDataSet, writeStated } from '../../formats/scans.ts';
import { standIn } from './stand-in.ts';

const folder = await temporaryFolder();
const run = join(folder, 'run');
const indices = join(folder, 'indices');
const labels = { background: 0, box: 40, core: 300 };
const names = ['a', 'b', 'c', 'd'];
const options = { device: 'cpu', precision: 'auto' } as const;
let dataSet = '';
let python = '';

beforeAll(async () => {
  const random = createRandom(2);
  const cases = names.map((name) => boxCase(name, random));
  await mkdir(indices);
  for (const { name, label } of cases)
    await writeStated(join(indices, `${name}.nii.gz`), { ...label, affine: straight() });
  const values = [0, 40, 300];
  const stored = cases.map((one) => ({
    ...one,
    label: { ...one.label, data: Int16Array.from(one.label.data, (index) => values[index]) },
  }));
  dataSet = await writeDataSet(join(folder, 'boxes'), stored, { labels });
  python = await standIn(folder, indices);
  await train({ dataSet, out: run, folds: 2, fold: 0, seed: 1, python, ...options }, {});
  // The program that stands in for nnU-Net knows scans by these names.
  await cp(join(indices, 'a.nii.gz'), join(indices, 'patient.nii.gz'));
});

it("classes become the data set's labels, on the scan's grid, in a file that says whose work it is", async () => {
  const out = join(folder, 'out');
  const scan = join(dataSet, 'imagesTr', 'a.nii.gz');
  await segment(run, [scan, join(dataSet, 'imagesTr', 'b.nii.gz')], out, { ...options, python });
  expect((await readdir(out)).sort()).toEqual(['a.nii.gz', 'b.nii.gz']);
  const [made, expected, image] = await Promise.all(
    [join(out, 'a.nii.gz'), join(dataSet, 'labelsTr', 'a.nii.gz'), scan].map(readNifti),
  );
  expect([...made.data]).toEqual([...expected.data]);
  expect(made.affine).toEqual(image.affine);
  expect(await niftiMaker(join(out, 'a.nii.gz'))).toMatchObject({ run: expect.stringMatching(/^[0-9a-f]{16}$/) });
});

it('a scan of other channels is refused with a sentence', async () => {
  const scan = join(folder, 'two.nii.gz');
  const { image } = boxCase('two', createRandom(3), [8, 7, 6], 2);
  await writeStated(scan, { ...image, affine: straight() });
  const error: unknown = await segment(run, [scan], join(folder, 'x'), { ...options, python }).catch(
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(String(error)).toMatch(/two.nii.gz has 2 channels; nnU-Net was trained on 1/);
});

it('a run that has not finished is refused', async () => {
  await expect(segment(folder, [], join(folder, 'x'), { ...options, python })).rejects.toThrow(
    /nnU-Net has not finished/,
  );
});
