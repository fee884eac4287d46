import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createRandom } from '../../src/base/random.ts';
import { boxCase, straight, writeStated } from '../formats/scans.ts';
import { dataSet, type Inputs, labelMaps, runAndScan, soundCase, storedImage, storedLabel } from './inputs.ts';

/** A sound data set and these words. */
const searchWith =
  (...words: readonly string[]): Inputs[string] =>
  async (folder) => [...(await dataSet(() => {})(folder)), ...words];

/** Folders of label maps in which the prediction is another volume. */
const predicted = (volume: Parameters<typeof writeStated>[1]) =>
  labelMaps((predictions) => writeStated(join(predictions, 'c.nii.gz'), volume));
const { shape, data } = soundCase.label;

/** What is wrong with the words of a command. */
export const options: Inputs = {
  'A verb that is none': async () => ['data'],
  'An option that is none': searchWith('--fould', '1'),
  'A word too few': async () => [],
  'A word too many': searchWith('data'),
  'A time without its unit': searchWith('--time', '15'),
  'A memory without its unit': searchWith('--memory', '8'),
  'Half a number': searchWith('--epochs', '1.5'),
  'A negative seed': searchWith('--seed', '-1'),
  'A single fold': searchWith('--folds', '1'),
  'A fold that is none of the folds': searchWith('--fold', '3'),
  'A task that is none': async (folder) => ['--out', folder, 'Task00_Nonsense'],
  'A controller that is none': searchWith('--controller', 'nonsense'),
  'A space that is none': searchWith('--space', 'nonsense'),
  'A format that is none': async (folder) => [...(await runAndScan(() => {})(folder)), '--format', 'nrrd'],
  'A precision that this device has not': searchWith('--precision', 'fp16'),
  'A time too short for one step': searchWith('--time', '1s'),
  'A memory too small for the smallest network': searchWith('--memory', '100MB'),
  'A memory too small for parts of a scan': async (folder) => [
    '--memory',
    '1KB',
    ...(await runAndScan(() => {})(folder)),
  ],
  'A study without a time': searchWith(),
  'A system that is none': searchWith('--systems', 'ronasmis,nonsense'),
  'A system twice': searchWith('--systems', 'ronasmis,ronasmis'),
  'A negative tolerance': async (folder) => ['--tolerance', '-1', ...(await labelMaps(() => {})(folder))],
};

/** What is wrong with what `predict` and `evaluate` are given. */
export const predictions: Inputs = {
  'A folder without scans': runAndScan(async (_, scan) => {
    await rm(scan);
    await mkdir(scan);
  }),
  'Two scans of one name': async (folder) => {
    const words = await runAndScan(() => {})(folder);
    await writeFile(join(folder, 'scan.nii'), gunzipSync(storedImage));
    return [...words, join(folder, 'scan.nii')];
  },
  'A folder of predictions that is not there': labelMaps((folder) => rm(folder, { recursive: true })),
  'A folder without predictions': labelMaps((folder) => rm(join(folder, 'c.nii.gz'))),
  'A prediction without its label map': labelMaps((folder) => writeFile(join(folder, 'd.nii.gz'), storedLabel)),
  'A prediction twice, packed and unpacked': labelMaps((folder) =>
    writeFile(join(folder, 'c.nii'), gunzipSync(storedLabel)),
  ),
  'A prediction of another shape': predicted({
    affine: straight(),
    ...boxCase('c', createRandom(1), [16, 16, 15]).label,
  }),
  'A prediction in another place': predicted({ affine: straight(1, 1, 1, 5), shape, data }),
  'A prediction a third of a voxel beside its label map': predicted({ affine: straight(1, 1, 1, 0.3), shape, data }),
  'Label values that can not be told apart': predicted({
    affine: straight(),
    shape,
    data: Float64Array.from(data, (value) => (value === 0 ? 0 : 2 ** 53 + 2 * value)),
  }),
  'A prediction of several volumes': predicted({
    affine: straight(),
    shape: [...shape, 2],
    data: Uint8Array.of(...data, ...data),
  }),
  'A prediction that is no label map': predicted({
    affine: straight(),
    shape,
    data: Float32Array.from(data, (value) => value / 2),
  }),
  'A scan in place of a prediction': labelMaps((folder) => writeFile(join(folder, 'c.nii.gz'), storedImage)),
  'Predictions and label maps without any label': labelMaps(async (...folders) => {
    for (const folder of folders)
      await writeStated(join(folder, 'c.nii.gz'), { affine: straight(), shape, data: new Uint8Array(data.length) });
  }),
  'A damaged prediction': labelMaps((folder) => writeFile(join(folder, 'c.nii.gz'), storedLabel.subarray(0, -30))),
  'Label maps without a prediction': labelMaps((_, folder) => writeFile(join(folder, 'd.nii.gz'), storedLabel)),
};
