import {
  checkVoxels,
  clipWarnings,
  endings,
  findChannels,
  isDicom,
  niftiVolume,
  openSeries,
  type SourceSeries,
  scanOf,
  singleScans,
  UserError,
  type Volume,
} from 'ronasmis/segmenter';
import { unpacking } from './gzip.ts';
import type { GivenFile } from './messages.ts';
import type { KnownModel } from './model.ts';

/** A scan as a page was given it. */
export interface GivenScan {
  /** Without its ending. */
  readonly name: string;
  readonly volume: Volume;
  readonly warnings: readonly string[];
  /** Of a DICOM series, what a segmentation of it takes over. */
  readonly source: (() => SourceSeries) | null;
}

/**
 * Reads the scan that files are: a NIfTI file, or one for each channel as `predict` tells them apart by their names, or the files of a DICOM series.
 * @throws UserError where they are none, or several, or can't be read
 */
export async function readGivenScan(files: readonly GivenFile[], model: KnownModel): Promise<GivenScan> {
  const visible = files.filter(({ path }) => !path.split('/').some((name) => name.startsWith('.')));
  const scans = visible.filter(({ path }) => isNifti(path));
  return scans.length > 0 ? readFiles(scans, model) : readSeries(visible, model);
}

const isNifti = (path: string): boolean => endings.nifti.some((ending) => path.toLowerCase().endsWith(ending));

async function readFiles(files: readonly GivenFile[], model: KnownModel): Promise<GivenScan> {
  const { channel_files: areChannels, network } = model.run;
  const paths = files.map(({ path }) => path);
  const found = areChannels ? findChannels(paths, network.input_channels) : { scans: singleScans(paths), problems: [] };
  const [problem] = found.problems;
  if (problem !== undefined) throw new UserError(problem);
  const [{ name, files: wanted }] = found.scans;
  if (found.scans.length > 1)
    throw new UserError(`${paths.join(', ')}: these are ${found.scans.length} scans. Give one at a time.`);
  const read = async (path: string): Promise<Volume> => {
    const given = files.find((file) => file.path === path);
    return niftiVolume(path, await bytesOf(path, given?.file ?? new File([], path)), unpacking);
  };
  return checked(name, await Promise.all(wanted.map(read)), model, null);
}

async function readSeries(files: readonly GivenFile[], model: KnownModel): Promise<GivenScan> {
  const [first] = files;
  const folder = first?.path.split('/').slice(0, -1).join('/') || 'these files';
  const bytes = await Promise.all(
    files.map(async ({ path, file }) => ({ file: path, bytes: await bytesOf(path, file) })),
  );
  if (!bytes.some((one) => isDicom(one.bytes))) {
    const what =
      files.length === 1 ? `${first.path}: this is no NIfTI file and no DICOM` : `${folder}: no scan is there`;
    throw new UserError(`${what}. Give a .nii or .nii.gz file, or the folder of a DICOM series.`);
  }
  const { volume, source } = openSeries(folder, bytes);
  return checked(folder.split('/').at(-1) ?? folder, [volume], model, source);
}

async function bytesOf(path: string, file: File): Promise<Uint8Array> {
  const buffer = await file.arrayBuffer().catch(() => {
    throw new UserError(`${path}: the browser can't read it. Is it still there, and no larger than 2 GiB?`);
  });
  return new Uint8Array(buffer);
}

/** The scan, with what is odd about it. @throws UserError where a voxel is no number, or the volumes are no scan */
function checked(
  name: string,
  volumes: readonly Volume[],
  { run }: KnownModel,
  source: GivenScan['source'],
): GivenScan {
  const beside: string[] = [];
  const { volume, clips } = scanOf(volumes, ({ file, what }) => beside.push(`${file}: ${what}.`));
  const problems = checkVoxels(volume.file, volume);
  const error = problems.find(({ severity }) => severity === 'error');
  if (error !== undefined) throw new UserError(error.message);
  const isZScored = (channel: number): boolean => run.normalisation?.[channel]?.kind !== 'data_set';
  const odd = [...clipWarnings(volume.file, clips, isZScored), ...problems].map(({ message }) => message);
  return { name, volume, source, warnings: [...beside, ...odd] };
}
