import { dirname, join, resolve } from 'node:path';
import { UserError } from '../../base/errors.ts';
import { makeFolder, withCopies } from '../../base/files.ts';
import { isChannelFile, withoutChannel } from '../../data/channels.ts';
import { readScan } from '../../data/read-scan.ts';
import { caseNames } from '../../formats/case-names.ts';
import { endingOf } from '../../formats/endings.ts';
import { scanKey } from '../../formats/nifti-mark.ts';
import { unturned } from '../../formats/orientation.ts';
import { readLabelMap } from '../../formats/read-volume.ts';
import { writeLabelMap } from '../../preparation/label-map.ts';
import { runKey } from '../../run/run-key.ts';
import type { RunRecord } from '../../run/run-record.ts';
import type { System } from '../system.ts';
import { convertImage } from './conversion.ts';
import { modelFolder, nnunetFolders } from './folders.ts';
import { type DriverCase, runDriver } from './process.ts';
import { findNnunet } from './python.ts';
import { type NnunetGiven, readNnunetRun } from './record.ts';

/** A scan to be segmented: one file with all channels, a folder of DICOM, or one file a channel. */
interface Scan {
  readonly name: string;
  readonly files: readonly string[];
}

/** @see System.segment */
export const segment: NonNullable<System['segment']> = async (folder, paths, out, { device, python: command }) => {
  const { begun, finished } = await readNnunetRun(folder);
  if (begun === undefined || finished === undefined)
    throw new UserError(`${folder}: nnU-Net has not finished there. Go on with the comparison first.`);
  const { run, given } = begun;
  await makeFolder(out);
  if (areTestCases(paths, given)) {
    const { predictions } = nnunetFolders(folder);
    for (const { name, images } of given.test)
      await writeOwn({ name, files: images }, run, join(predictions, `${name}.nii.gz`), out);
    return finished.training.prediction_seconds;
  }
  const scans = scansOf(paths, run);
  if (device === 'mps')
    throw new UserError('--device mps: nnU-Net is run on a CPU or an NVIDIA GPU. Give one of these.');
  const python = await findNnunet(command);
  await withCopies(
    scans[0]?.files[0] ?? out,
    async (copies) => ({ copies, cases: await Promise.all(scans.map((scan) => layOut(scan, run, copies))) }),
    async ({ copies, cases }) => {
      const job = { task: 'segment', device, model: modelFolder(folder), cases, seconds_used: 0 } as const;
      await runDriver(python, folder, job, { onLine: () => {} });
      for (const scan of scans) await writeOwn(scan, run, join(copies, `${scan.name}-classes.nii.gz`), out);
    },
  );
  return undefined;
};

/** Whether scans are those of the test cases, which were segmented behind the training. */
function areTestCases(paths: readonly string[], { test }: NnunetGiven): boolean {
  const known = new Set(test.map(({ images: [image] }) => image));
  return paths.length === known.size && paths.every((path) => known.has(resolve(path)));
}

/** Scans by the paths that stand for them: of files a channel, the first. */
function scansOf(paths: readonly string[], { network, channel_files: areChannels }: RunRecord): readonly Scan[] {
  const ofChannels = paths.map((path) => areChannels && isChannelFile(path));
  const names = caseNames(paths.map((path, i) => (ofChannels[i] ? withoutChannel(path) : path)));
  return paths.map((path, i) => {
    const files = Array.from({ length: network.input_channels }, (_, channel) => {
      const number = String(channel).padStart(4, '0');
      return join(dirname(path), `${names[i]}_${number}${endingOf(path) ?? ''}`);
    });
    return { name: names[i], files: ofChannels[i] ? files : [path] };
  });
}

/** Gives nnU-Net the files of a scan. @throws UserError where it has other channels than nnU-Net was trained on */
async function layOut({ name, files }: Scan, { network }: RunRecord, folder: string): Promise<DriverCase> {
  const laidOut = await convertImage(name, files, folder, async () => (await readScan(files)).volume);
  if (laidOut.length !== network.input_channels)
    throw new UserError(
      `${files[0]} has ${laidOut.length} channels; nnU-Net was trained on ${network.input_channels}. Give a scan with the channels of the training data.`,
    );
  return { name, files: laidOut, out: join(folder, `${name}-classes`) };
}

/** Writes nnU-Net's classes as the data set's labels, on the scan's own grid. */
async function writeOwn({ name, files }: Scan, run: RunRecord, classes: string, out: string): Promise<void> {
  const { volume: scan } = await readScan(files);
  const { data } = await readLabelMap(classes);
  const { shape } = scan;
  const segmentation = {
    classes: Uint8Array.from(data),
    crop: { offset: [0, 0, 0], shape, scanShape: shape },
    turn: unturned,
  } as const;
  const maker = { run: runKey(run), scan: scanKey(scan) };
  await writeLabelMap(join(out, `${name}.nii.gz`), scan, segmentation, { labels: run.labels, maker });
}
