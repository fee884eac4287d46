import { appendFile, cp, mkdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { full, ones, type Tensor, to } from '@ronasmis/libtorch';
import { createRandom } from '../../src/base/random.ts';
import type { Progress } from '../../src/run/progress.ts';
import { search } from '../../src/search/search.ts';
import { writeScanFixture } from '../formats/scan-fixtures.ts';
import { boxCase, straight, writeStated } from '../formats/scans.ts';
import { storedWeights, writeTinyRun } from '../inference/tiny-run.ts';
import { dataSet, type Inputs, image, runAndScan, runFolder, soundCase } from './inputs.ts';

const model = (run: string): string => join(run, 'model.safetensors');

/** A run whose `run.json` has other text. */
const recorded = (change: (text: string) => string) =>
  runFolder(async (run) => {
    const file = join(run, 'run.json');
    await writeFile(file, change(await readFile(file, 'utf8')));
  });

/** A run whose weights are others. */
const withWeights = (change: (name: string, weight: Tensor) => readonly [string, Tensor][]) =>
  runAndScan((run) => writeTinyRun(run, new Map([...storedWeights].flatMap(([name, weight]) => change(name, weight)))));

/** A run whose weights' file has another header, or other bytes behind it. */
const withHeader = (change: (text: string) => string, data?: Uint8Array) =>
  runAndScan(async (run) => {
    const bytes = await readFile(model(run));
    const end = 8 + Number(bytes.readBigUInt64LE());
    const header = Buffer.from(change(bytes.subarray(8, end).toString()));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFile(model(run), Buffer.concat([length, header, data ?? bytes.subarray(end)]));
  });

/** A weight by its name, without which the network is none. */
const first = 'encoder.0.conv1';

/** A search that was stopped in its first step, and its data set. */
const stopped =
  (spoil: (run: string, dataSet: string) => unknown): Inputs[string] =>
  async (folder) => {
    const [copy] = await dataSet(() => {})(folder);
    const run = join(folder, 'run');
    const stop = new AbortController();
    const options = {
      dataSet: copy,
      out: run,
      epochs: 1,
      children: 1,
      folds: 3,
      device: 'cpu',
      precision: 'fp32',
    } as const;
    const onProgress = ({ phase }: Progress) => phase === 'train' && stop.abort();
    await search(options, { signal: stop.signal, onProgress }).catch(() => {});
    await spoil(run, copy);
    return [run];
  };

/** A sound data set, and a finished run to start from that is sound until `spoil` has been at it. */
const startingFrom =
  (spoil: (run: string) => unknown): Inputs[string] =>
  async (folder) => {
    const [copy] = await dataSet(() => {})(folder);
    const [run] = await runFolder(spoil)(folder);
    return [copy, '--from', run];
  };

/** What is wrong with the folder of a run. */
export const runs: Inputs = {
  'A folder that is no run': async (folder) => [folder],
  'A run that has not finished': runAndScan((run) => rm(join(run, 'report.json'))),
  'A run that has not finished, to be exported': runFolder((run) => rm(join(run, 'report.json'))),
  'A run.json that is not JSON': recorded((text) => text.slice(0, 100)),
  'A run.json in which something is missing': recorded((text) => text.replace('"seed"', '"seat"')),
  'A run.json whose labels and classes differ': recorded((text) => text.replace('"classes": 3', '"classes": 4')),
  'A run.json with an orientation that is none': recorded((text) =>
    text.replace('"channel_files"', '"orientation": "RRR", "channel_files"'),
  ),
  'A run whose network can not be run here': runAndScan(async (run) => {
    const file = join(run, 'run.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"labels"', '"not_run_here": "it is of regions", "labels"'));
  }),
  'A damaged architecture.json': runFolder((run) => writeFile(join(run, 'architecture.json'), '{"patch": 3}')),
  'A damaged report.json': runFolder((run) => writeFile(join(run, 'report.json'), '[]')),
  'A damaged line in events.jsonl': runFolder((run) => writeFile(join(run, 'events.jsonl'), '{"step": 1}\n')),
  'A last line of events.jsonl that was cut short': runFolder((run) =>
    appendFile(join(run, 'events.jsonl'), '{"step": 1, "sec'),
  ),
  'No model.safetensors': runAndScan((run) => rm(model(run))),
  'Weights of which the end is missing': runAndScan((run) => truncate(model(run), 9000)),
  'Weights with a header longer than the file': runAndScan(async (run) => {
    const bytes = await readFile(model(run));
    bytes.writeBigUInt64LE(2n ** 60n);
    await writeFile(model(run), bytes);
  }),
  'Weights with a header that is not JSON': withHeader((text) => text.slice(1)),
  'Weights that overlap': withHeader((text) =>
    text.replace(/"data_offsets":\[\d+,(\d+)\]/, (_, end: string) => `"data_offsets":[${Number(end) - 8},${end}]`),
  ),
  'Weights of an unknown data type': withHeader((text) => text.replace('"F32"', '"F8_E5M2"')),
  'A weight that is not there': withWeights((name, weight) => (name === first ? [] : [[name, weight]])),
  'A weight of another shape': withWeights((name, weight) => [[name, name === first ? ones([2, 1, 3, 3]) : weight]]),
  'Weights that are whole numbers': withWeights((name, weight) => [[name, to(weight, { dataType: 'int32' })]]),
  'A damaged checkpoint': stopped((run) => writeFile(join(run, 'checkpoint.safetensors'), 'no weights')),
  'A run that a comparison trains by another program': stopped(async (run) => {
    const file = join(run, 'run.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"data_set"', '"system": "nnunet-python", "own_program": true, "data_set"'));
  }),
  'A run whose data set is gone': stopped((_, copy) => rm(copy, { recursive: true })),
  'A folder to start from that is no run': startingFrom((run) => rm(join(run, 'run.json'))),
  'A run to start from that has not finished': startingFrom((run) => rm(join(run, 'report.json'))),
  'A run to start from whose weights end early': startingFrom((run) => truncate(model(run), 9000)),
  'A run to start from whose training went astray': startingFrom((run) =>
    writeTinyRun(run, new Map(storedWeights).set(first, full([2, 1, 3, 3, 3], Number.NaN))),
  ),
  'A run to start from in the place of the new one': async (folder) => {
    const words = await startingFrom(() => {})(folder);
    return [...words, '--out', join(folder, 'run')];
  },
  'A run to start from of another width': startingFrom(() => {}),
  'A run whose data set has changed': stopped((_, copy) => cp(join(copy, 'imagesTr', 'a.nii.gz'), image(copy))),
};

/** A finished run and a scan of another format than NIfTI, or what `spoil` makes of it. */
const fixture = (name: string, spoil: (scan: string) => string | Promise<string>): Inputs[string] => {
  const build = runFolder(() => {});
  return async (folder) => [...(await build(folder)), await spoil(await writeScanFixture(folder, name))];
};

/** What is wrong with scans that are to be segmented. */
export const scans: Inputs = {
  'A scan with other channels than the network': runAndScan((_, scan) =>
    writeStated(scan, { affine: straight(), ...boxCase('c', createRandom(1), [16, 16, 16], 2).image }),
  ),
  'Vectors in place of a scan, as ITK writes them': runAndScan(async (_, scan) => {
    const { shape, data } = boxCase('c', createRandom(1), [16, 16, 16], 2).image;
    await writeStated(scan, { affine: straight(), shape: [...shape.slice(0, 3), 1, 2], data });
  }),
  'A 2D image to be segmented': runAndScan((_, scan) =>
    writeStated(scan, { affine: straight(), shape: [16, 16], data: soundCase.image.data.slice(0, 256) }),
  ),
  'A scan with voxels that are not numbers': runAndScan((_, scan) =>
    writeStated(scan, {
      affine: straight(),
      shape: soundCase.image.shape,
      data: Float32Array.from(soundCase.image.data).fill(Number.NaN, 99, 100),
    }),
  ),
  'A scan of which the end is missing': runAndScan((_, scan) => truncate(scan, 1000)),
  'One file of a DICOM series': fixture('DICOM', (series) => join(series, '0')),
  'A single DICOM slice': fixture('DICOM', async (series) => {
    for (const slice of ['1', '2']) await rm(join(series, slice));
    return series;
  }),
  'A DICOM slice of which the end is missing': fixture('DICOM', async (series) => {
    await truncate(join(series, '1'), (await stat(join(series, '1'))).size - 10);
    return series;
  }),
  'A scan that is no DICOM series, to become a DICOM Segmentation': async (folder) => [
    ...(await runAndScan(() => {})(folder)),
    '--format',
    'dicom-seg',
  ],
  'A DICOM series without a frame of reference, to become a DICOM Segmentation': async (folder) => [
    ...(await fixture('DICOM', (series) => series)(folder)),
    '--format',
    'dicom-seg',
  ],
  'A NRRD file of which the end is missing': fixture('NRRD uint16', async (file) => {
    await truncate(file, (await stat(file)).size - 10);
    return file;
  }),
  'A MetaImage header whose voxels are not there': fixture('MetaImage header and voxels', async (file) => {
    await writeFile(file, (await readFile(file, 'latin1')).replace('a.raw', '../a.raw'), 'latin1');
    return file;
  }),
  'A segmentation of 3D Slicer whose segments overlap': fixture('NRRD of two channels', async (file) => {
    const segmentation = file.replace('.nrrd', '.seg.nrrd');
    await rename(file, segmentation);
    return segmentation;
  }),
  'A MetaImage file that is none': fixture('MetaImage int16', async (file) => {
    await writeFile(file, 'none');
    return file;
  }),
  "A patient's folder whose name is no UTF-8": runAndScan(async (_, scan) => {
    await rm(scan);
    await mkdir(Buffer.concat([Buffer.from(`${scan}/`), Buffer.from('M\u00fcller', 'latin1')]), { recursive: true });
  }),
  'A scan that is not there': runAndScan((_, scan) => rm(scan)),
};
