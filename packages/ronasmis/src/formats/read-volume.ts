import { stat } from 'node:fs/promises';
import { UserError } from '../base/errors.ts';
import { readBytes } from '../base/files.ts';
import { reversed } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import { readSeries, readSeriesGrid } from './dicom-series.ts';
import { formatByName } from './formats.ts';
import { nifti } from './nifti.ts';
import { isDicomFile } from './scan-files.ts';
import type { FileFormat, Grid, Volume } from './volume.ts';

/** A volume and what tells it apart from others. */
export interface StoredVolume {
  readonly volume: Volume;
  /** The bytes of the file, where it holds all of the volume; those that an unpacked NIfTI file would have, where it may not. */
  readonly content: readonly Uint8Array[];
}

/**
 * Reads a scan or a label map: a file, whose name says of which format it is, or a folder that holds a DICOM series.
 * @throws UserError where it is missing, damaged or of another kind, or what reads its format is not installed
 */
export async function readVolume(path: string): Promise<Volume> {
  return (await readStored(path)).volume;
}

/** As `readVolume`, with what was read. */
export async function readStored(path: string): Promise<StoredVolume> {
  const format = await formatOf(path);
  if (format !== 'dicom' && format.kind === 'one_file') {
    const bytes = await readBytes(path);
    return { volume: await format.decode(path, bytes), content: [bytes] };
  }
  const volume = await (format === 'dicom' ? readSeries(path) : format.readVolume(path));
  const { prefix, data } = volume;
  return { volume, content: [prefix, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)] };
}

/**
 * Reads a label map. Whole numbers that scaling has moved on their way through the file, such as 1.000015, are whole again.
 * @throws UserError as `readVolume` does, and where it holds several volumes
 */
export async function readLabelMap(path: string): Promise<Volume> {
  return (await readStoredLabelMap(path)).volume;
}

/** As `readLabelMap`, with what was read. */
export async function readStoredLabelMap(path: string): Promise<StoredVolume> {
  const stored = await readStored(path);
  const { shape, channels, data, step = 0 } = stored.volume;
  if (channels > 1) {
    const size = reversed(shape).join(' x ');
    throw new UserError(`${path}: it holds ${channels} volumes of ${size} voxels. Give a label map of one volume.`);
  }
  return { ...stored, volume: { ...stored.volume, data: wholeNumbers(data, step) } };
}

/** So far from a whole number a label may lie. */
const roundingError = 1e-3;
/** But where a file's steps are coarse, half a step, if it is no more than this: half a label is none. */
const mostRoundingError = 0.1;

/** @param step between neighbouring values of scaled integers, 0 where there is none */
function wholeNumbers(values: Voxels, step: number): Voxels {
  if (!(values instanceof Float32Array || values instanceof Float64Array)) return values;
  const tolerance = Math.max(roundingError, Math.min(mostRoundingError, 0.501 * step));
  return values.map((value) => {
    const whole = Math.round(value);
    // The sum makes 0 of -0.
    return Math.abs(value - whole) <= tolerance ? whole + 0 : value;
  });
}

/** Reads where the voxels lie, and no voxel. @throws UserError as `readVolume` does */
export async function readGrid(path: string): Promise<Grid> {
  const format = await formatOf(path);
  return format === 'dicom' ? readSeriesGrid(path) : format.readGrid(path);
}

/** What has another name is NIfTI, or none that says so. */
async function formatOf(path: string): Promise<FileFormat | 'dicom'> {
  const format = formatByName(path);
  if (format !== undefined) return format;
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return 'dicom';
  if (await isDicomFile(path)) throw new UserError(`${path}: this is one DICOM file. Give the folder of its series.`);
  return nifti;
}
