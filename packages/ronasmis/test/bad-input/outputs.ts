import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNifti } from '../../src/data/nifti.ts';
import { createRandom } from '../../src/random.ts';
import { writeRunFolder } from '../cli/run.ts';
import { boxCase, straight } from '../data/scans.ts';
import { dataSet, description, type Inputs, image, labelMaps, runAndScan, runFolder } from './inputs.ts';

/** A data set, and an output folder that is `out` after `make`. */
const searchInto =
  (out: string, make: (folder: string) => unknown): Inputs[string] =>
  async (folder) => {
    await make(folder);
    return ['--out', join(folder, out), ...(await dataSet(() => {})(folder))];
  };

/** A finished run and a scan, and a place for the label maps that is `out` after `make`. */
const predictInto =
  (out: string, make: (folder: string) => unknown): Inputs[string] =>
  async (folder) => {
    await make(folder);
    return ['--out', join(folder, out), ...(await runAndScan(() => {})(folder))];
  };

/** What is wrong with the place that results go to. */
export const outputs: Inputs = {
  'An output folder that holds a run': searchInto('taken', (folder) => writeRunFolder(join(folder, 'taken'), false)),
  'A file in place of the run folder': searchInto('file', (folder) => writeFile(join(folder, 'file'), '')),
  'A file above the run folder': searchInto('file/run', (folder) => writeFile(join(folder, 'file'), '')),
  'A name that is too long': searchInto('n'.repeat(300), () => {}),
  "A file in place of the label maps' folder": predictInto('file', (folder) => writeFile(join(folder, 'file'), '')),
  'A folder in place of an exported network': async (folder) => {
    await mkdir(join(folder, 'file'));
    return ['--out', join(folder, 'file'), ...(await runFolder(() => {})(folder))];
  },
  'A page into no folder': async (folder) => [
    '--html',
    join(folder, 'nowhere', 'page.html'),
    ...(await dataSet(() => {})(folder)),
  ],
  'A folder in place of a label map': predictInto('maps', (folder) =>
    mkdir(join(folder, 'maps', 'scan.nii.gz'), { recursive: true }),
  ),
  'A study where something else is': searchInto('taken', async (folder) => {
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'notes.txt'), '');
  }),
  'A damaged study.json': searchInto('taken', async (folder) => {
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'study.json'), '{"version": 1}');
  }),
  'A table of scores into no folder': async (folder) => [
    '--csv',
    join(folder, 'nowhere', 'scores.csv'),
    ...(await labelMaps(() => {})(folder)),
  ],
  'A table of scores in place of a folder': async (folder) => ['--csv', folder, ...(await labelMaps(() => {})(folder))],
};

/** What a user without all rights meets. */
export const forbidden: Inputs = {
  'A scan that may not be read': dataSet((copy) => chmod(image(copy), 0)),
  'A folder that may not be read': dataSet(async (copy) => {
    await writeFile(description(copy), JSON.stringify({ labels: { 0: 'background', 1: 'box', 2: 'core' } }));
    await chmod(join(copy, 'imagesTr'), 0);
  }),
  'A run folder that may not be written': searchInto('locked/run', (folder) => mkdir(join(folder, 'locked'), 0o555)),
  "A label maps' folder that may not be written": predictInto('locked', (folder) =>
    mkdir(join(folder, 'locked'), 0o555),
  ),
};

/** A finished run and a scan whose label map takes more than a disk or a limit of 32 KiB, and where it is to go. */
const largeInto =
  (out: string): Inputs[string] =>
  async (folder) => {
    const words = await predictInto(out, () => mkdir(join(folder, out)))(folder);
    const { image } = boxCase('scan', createRandom(1), [64, 64, 64]);
    await writeNifti(words[words.length - 1], { affine: straight(), ...image });
    return words;
  };
const searchIntoNew = (out: string): Inputs[string] => searchInto(out, (folder) => mkdir(join(folder, out)));

/** What does not fit on the disk, where `full` is one of 64 KiB. */
export const full: Inputs = {
  'A disk that is full when a label map is written': largeInto('full'),
  'A disk that is full when a search is saved': searchIntoNew('full'),
};

/** What is larger than the shell lets a file become. */
export const limited: Inputs = {
  'A limit on the size of files when a label map is written': largeInto('limited'),
  'A limit on the size of files when a search is saved': searchIntoNew('limited'),
};
