import { dirname, join } from 'node:path';
import { UserError } from '../../base/errors.ts';
import { makeFolder, withCopies } from '../../base/files.ts';
import { isChannelFile, readScan, withoutChannel } from '../../data/channels.ts';
import { caseNames } from '../../formats/case-names.ts';
import { endingOf } from '../../formats/formats.ts';
import { scanKey } from '../../formats/nifti-mark.ts';
import { unturned } from '../../formats/orientation.ts';
import { readGrid, readLabelMap } from '../../formats/read-volume.ts';
import { writeLabelMap } from '../../preparation/label-map.ts';
import type { System } from '../system.ts';
import { convertImage } from './conversion.ts';
import { modelFolder } from './folders.ts';
import { type DriverCase, runDriver } from './process.ts';
import { findNnunet } from './python.ts';
import { type NnunetRecord, nnunetKey, readNnunetRun } from './record.ts';

/** A scan to be segmented: one file with all channels, a folder of DICOM, or one file a channel. */
interface Scan {
  readonly name: string;
  readonly files: readonly string[];
}

/** @see System.segment */
export const segment: NonNullable<System['segment']> = async (run, paths, out, { device, python: command }) => {
  const { begun, report } = await readNnunetRun(run);
  if (begun === undefined || report === undefined)
    throw new UserError(`${run}: nnU-Net has not finished there. Go on with the comparison first.`);
  if (device === 'mps')
    throw new UserError('--device mps: nnU-Net is run on a CPU or an NVIDIA GPU. Give one of these.');
  const python = await findNnunet(command);
  const { record } = begun;
  const scans = scansOf(paths, record);
  await makeFolder(out);
  await withCopies(
    scans[0]?.files[0] ?? out,
    async (folder) => ({ folder, cases: await Promise.all(scans.map((scan) => layOut(scan, record, folder))) }),
    async ({ folder, cases }) => {
      const job = { task: 'segment', device, model: modelFolder(run), cases, seconds_used: 0 } as const;
      await runDriver(python, run, job, { onLine: () => {} });
      for (const scan of scans) await writeOwn(scan, record, join(folder, `${scan.name}-classes.nii.gz`), out);
    },
  );
};

/** Scans by the paths that stand for them: of files a channel, the first. */
function scansOf(paths: readonly string[], { channels, channel_files: areChannels }: NnunetRecord): readonly Scan[] {
  const ofChannels = paths.map((path) => areChannels && isChannelFile(path));
  const names = caseNames(paths.map((path, i) => (ofChannels[i] ? withoutChannel(path) : path)));
  return paths.map((path, i) => {
    const files = channels.map((_, channel) => {
      const number = String(channel).padStart(4, '0');
      return join(dirname(path), `${names[i]}_${number}${endingOf(path) ?? ''}`);
    });
    return { name: names[i], files: ofChannels[i] ? files : [path] };
  });
}

/** Gives nnU-Net the files of a scan. @throws UserError where it has other channels than nnU-Net was trained on */
async function layOut({ name, files }: Scan, { channels }: NnunetRecord, folder: string): Promise<DriverCase> {
  const laidOut = await convertImage(name, files, folder, async () => (await readScan(files)).volume);
  if (laidOut.length !== channels.length)
    throw new UserError(
      `${files[0]} has ${laidOut.length} channels; nnU-Net was trained on ${channels.length}. Give a scan with the channels of the training data.`,
    );
  const { shape, spacing } = await readGrid(laidOut[0]);
  return { name, files: laidOut, shape, spacing, out: join(folder, `${name}-classes`) };
}

/** Writes nnU-Net's classes as the data set's labels, on the scan's own grid. */
async function writeOwn({ name, files }: Scan, record: NnunetRecord, classes: string, out: string): Promise<void> {
  const { volume: scan } = await readScan(files);
  const { data } = await readLabelMap(classes);
  const { shape } = scan;
  const segmentation = {
    classes: Uint8Array.from(data),
    crop: { offset: [0, 0, 0], shape, scanShape: shape },
    turn: unturned,
  } as const;
  const maker = { run: nnunetKey(record), scan: scanKey(scan) };
  await writeLabelMap(join(out, `${name}.nii.gz`), scan, segmentation, { labels: record.labels, maker });
}
