import { chmod, link, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createRandom } from '../../src/base/random.ts';
import { predict } from '../../src/inference/predict.ts';
import { writeRunFolder } from '../cli/run.ts';
import { boxCase, straight, writeStated } from '../formats/scans.ts';
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

/** A finished run, a scan, and a folder that holds a label map of it, after `change`. */
const predictAgain =
  (change: (labelMap: string, run: string) => unknown): Inputs[string] =>
  async (folder) => {
    const [run, scan] = await runAndScan(() => {})(folder);
    const out = join(folder, 'maps');
    await predict({ run, inputs: [scan], out, device: 'cpu', precision: 'fp32' });
    await change(join(out, 'scan.nii.gz'), run);
    return ['--out', out, run, scan];
  };

/** A finished run, the scans of a data set, and these words of where their label maps go. */
const predictDataSet =
  (words: (dataSet: string) => readonly string[] | Promise<readonly string[]>): Inputs[string] =>
  async (folder) => {
    const [copy] = await dataSet(() => {})(folder);
    const [run] = await runFolder(() => {})(folder);
    return [run, join(copy, 'imagesTr'), ...(await words(copy))];
  };

/** A data set and these words of where results go. */
const ofDataSet =
  (words: (dataSet: string) => readonly string[]): Inputs[string] =>
  async (folder) => {
    const [copy] = await dataSet(() => {})(folder);
    return [copy, ...words(copy)];
  };

/** What would destroy what results are made of, or somebody's work. */
const destructive: Inputs = {
  'Scans in place of their label maps': predictDataSet((copy) => ['--out', join(copy, 'imagesTr')]),
  'Label maps of the data set in place of predictions': predictDataSet((copy) => ['--out', join(copy, 'labelsTr')]),
  'A folder among the scans for label maps': predictDataSet((copy) => ['--out', join(copy, 'imagesTr', 'found')]),
  'A link to the scans as the folder of label maps': predictDataSet(async (copy) => {
    await symlink(join(copy, 'imagesTr'), `${copy}-link`);
    return ['--out', `${copy}-link`];
  }),
  'A scan beside which its label map would have its name': async (folder) => [
    ...(await runAndScan(() => {})(folder)),
    '--out',
    folder,
    '--overwrite',
  ],
  'Another name of the scan in place of its label map': async (folder) => {
    const words = await runAndScan(() => {})(folder);
    await mkdir(join(folder, 'maps'));
    await link(join(folder, 'scan.nii.gz'), join(folder, 'maps', 'scan.nii.gz'));
    return ['--out', join(folder, 'maps'), ...words, '--overwrite'];
  },
  'A label map that was corrected by hand': predictAgain(async (file) => {
    const content = gunzipSync(await readFile(file));
    content[content.length - 1] = 1 - content[content.length - 1];
    await writeFile(file, gzipSync(content));
  }),
  "A label map of another search's": predictAgain(async (_, run) => {
    const record = join(run, 'run.json');
    const text = await readFile(record, 'utf8');
    await writeFile(record, text.replace(/"created": "[^"]*"/, '"created": "2020-01-01T00:00:00.000Z"'));
  }),
  'A label map of which the end is missing': predictAgain(async (file) =>
    writeFile(file, (await readFile(file)).subarray(0, 100)),
  ),
  'The data set as the run folder': ofDataSet((copy) => ['--out', copy]),
  'A run folder among the label maps': ofDataSet((copy) => ['--out', join(copy, 'labelsTr', 'run')]),
  'A run folder in which something else has a report': searchInto('mine', async (folder) => {
    await mkdir(join(folder, 'mine'));
    await writeFile(join(folder, 'mine', 'report.html'), 'of a study in radiology');
  }),
  'A page in place of dataset.json': ofDataSet((copy) => ['--html', description(copy), '--overwrite']),
  'A page in place of another': async (folder) => {
    await writeFile(join(folder, 'page.html'), '<!doctype html>');
    return [...(await dataSet(() => {})(folder)), '--html', join(folder, 'page.html')];
  },
  'A table of scores in place of a label map': async (folder) => [
    ...(await labelMaps(() => {})(folder)),
    '--csv',
    join(folder, 'labels', 'c.nii.gz'),
    '--overwrite',
  ],
  'A table of scores in place of another': async (folder) => {
    await writeFile(join(folder, 'mine.csv'), 'patient,age\n1,50\n');
    return [...(await labelMaps(() => {})(folder)), '--csv', join(folder, 'mine.csv')];
  },
  'A network in place of the weights that it is made of': async (folder) => {
    const [run] = await runFolder(() => {})(folder);
    return [run, '--out', join(run, 'model.safetensors'), '--overwrite'];
  },
  "A network in place of another search's": async (folder) => {
    const [run] = await runFolder(() => {})(folder);
    await writeFile(join(folder, 'model.onnx'), 'another network');
    return [run, '--out', join(folder, 'model.onnx')];
  },
};

/** What is wrong with the place that results go to. */
export const outputs: Inputs = {
  ...destructive,
  'An output folder that holds a run': searchInto('taken', (folder) => writeRunFolder(join(folder, 'taken'), false)),
  'Notes in place of the lock of a run folder': searchInto('taken', async (folder) => {
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', '.lock'), 'my precious notes');
  }),
  'A folder in place of the lock of a run folder': searchInto('taken', (folder) =>
    mkdir(join(folder, 'taken', '.lock'), { recursive: true }),
  ),
  'A link that leads nowhere in place of the lock of a run folder': searchInto('taken', async (folder) => {
    await mkdir(join(folder, 'taken'));
    await symlink('me@host.1:2', join(folder, 'taken', '.lock'));
  }),
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
  'A comparison where something else is': searchInto('taken', async (folder) => {
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'notes.txt'), '');
  }),
  'A damaged compare.json': searchInto('taken', async (folder) => {
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'compare.json'), '{"version": 1}');
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
    await writeStated(words[words.length - 1], { affine: straight(), ...image });
    return words;
  };
/** A finished run, and a scan of which copies are made as its files are called otherwise, with more voxels than a disk of 64 KiB takes. */
const largeToCopy: Inputs[string] = async (folder) => {
  const [run, scan] = await runAndScan(() => {})(folder);
  await mkdir(join(folder, 'full'));
  const header = scan.replace('.nii.gz', '.mhd');
  await writeFile(join(folder, 'v%.raw'), new Uint8Array(64 ** 3));
  const lines = ['ObjectType = Image', 'NDims = 3', 'DimSize = 64 64 64', 'ElementType = MET_UCHAR'];
  await writeFile(header, [...lines, 'ElementDataFile = v%.raw', ''].join('\n'));
  return [run, header];
};
const searchIntoNew = (out: string): Inputs[string] => searchInto(out, (folder) => mkdir(join(folder, out)));

/** What does not fit on the disk, where `full` is one of 64 KiB. */
export const full: Inputs = {
  'A disk that is full when a label map is written': largeInto('full'),
  'A disk that is full when files are copied to be read': largeToCopy,
  'A disk that is full when a search is saved': searchIntoNew('full'),
};

/** What is larger than the shell lets a file become. */
export const limited: Inputs = {
  'A limit on the size of files when a label map is written': largeInto('limited'),
  'A limit on the size of files when a search is saved': searchIntoNew('limited'),
};
