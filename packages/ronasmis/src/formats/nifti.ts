import { constants as bufferLimits } from 'node:buffer';
import { open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync, gzip } from 'node:zlib';
import { codeOf, UserError } from '../base/errors.ts';
import { fixable, readBytes, sizeOf, writeAtomically } from '../base/files.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import type { Affine } from './affine.ts';
import { createHeaderBytes, describeValues, MAX_HEADER_BYTES, type NiftiHeader, parseHeader } from './nifti-header.ts';
import { type Maker, makerOf, markNifti } from './nifti-mark.ts';
import { type VoxelType, voxelTypeOf } from './nifti-types.ts';
import { type FileFormat, statedSizes, type Volume } from './volume.ts';

/** A volume that was read from a NIfTI file, whose own bytes its prefix is. */
export type NiftiVolume = Volume & NiftiHeader;

/** What `writeNifti` writes: values on the grid of a scan (its `prefix`) or on a new one (`affine`). */
export type WritableVolume = {
  /** Voxels of a channel, `[depth, height, width]`. */
  readonly shape: Triple;
  /** One where it is left out. */
  readonly channels?: number;
  /** `[channel, depth, height, width]` */
  readonly data: Voxels;
  /** Which work made it: by that, `niftiMaker` knows the file again. */
  readonly maker?: Maker;
} & ({ readonly prefix: Uint8Array } | { readonly affine: Affine });

/** Compressed bytes that surely hold a whole header. */
const PEEK_BYTES = 8192;
/** Bytes behind the voxels that are ignored, as nibabel does: some programs pad. */
const MAX_TRAILING_BYTES = 65_536;
/** So little is unpacked sooner than another thread is woken up to do it. */
const SMALL_BYTES = 2 ** 20;
/** Deflate cannot pack more than this many bytes into one. */
const MAX_DEFLATE_RATIO = 1032;

/** NIfTI-1 and NIfTI-2, packed or not, whatever the name says. */
export const nifti: FileFormat = {
  kind: 'one_file',
  endings: ['.nii.gz', '.nii'],
  readGrid: readNiftiHeader,
  decode: decodeNifti,
};

/**
 * Reads a `.nii` or `.nii.gz` file (told apart by content): NIfTI-1 or NIfTI-2, either byte order, any real voxel type.
 * @throws UserError where the file is missing, truncated, damaged or of a kind that is not supported.
 */
export async function readNifti(file: string): Promise<NiftiVolume> {
  return decodeNifti(file, await readBytes(file));
}

/**
 * Reads the header alone: a few kilobytes whatever the size of the scan.
 * @throws UserError as `readNifti` does, but without a look at the voxels.
 */
export async function readNiftiHeader(file: string): Promise<NiftiHeader> {
  const handle = await fixable(file, async () => {
    sizeOf(file);
    return open(file);
  });
  try {
    const start = new Uint8Array(PEEK_BYTES);
    const { bytesRead } = await fixable(file, () => handle.read(start, 0, PEEK_BYTES, 0));
    return parseHeader(headerBytes(file, start.subarray(0, bytesRead)), file);
  } finally {
    await handle.close();
  }
}

/** The volume in the bytes of `file`. @throws UserError as `readNifti` does. */
export async function decodeNifti(file: string, bytes: Uint8Array): Promise<NiftiVolume> {
  const { header, voxelCount, content } = await unpack(file, bytes);
  const prefix = Uint8Array.from(content.subarray(0, header.dataOffset));
  const stored = storedVoxels(content, header, voxelCount);
  const { scale, voxelType } = header;
  const read = { ...header, file, prefix };
  if (!scale) return { ...read, data: stored };
  return { ...read, data: scaled(stored, scale, voxelType), ...(voxelType.largest && { step: Math.abs(scale.slope) }) };
}

/** Whose work a file is, as `writeNifti` has left it; undefined where it is nobody's of ours, was changed since or can't be read. */
export async function niftiMaker(file: string): Promise<Maker | undefined> {
  try {
    const { header, content } = await unpack(file, await readBytes(file));
    return makerOf(content, header.version);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

async function unpack(file: string, bytes: Uint8Array) {
  const header = parseHeader(headerBytes(file, bytes), file);
  const voxelCount = header.channels * voxelsOf(header.shape);
  const neededBytes = header.dataOffset + voxelCount * header.voxelType.bytes;
  // Checked before anything of that size is allocated: a damaged header may claim petabytes.
  const possibleBytes = isGzip(bytes) ? bytes.length * MAX_DEFLATE_RATIO : bytes.length;
  if (neededBytes > possibleBytes) throw shortFile(file, header);
  if (neededBytes + MAX_TRAILING_BYTES > bufferLimits.MAX_LENGTH) throw largeFile(file, header);
  const content = isGzip(bytes) ? await inflate(file, bytes, neededBytes) : bytes;
  if (content.length < neededBytes) throw shortFile(file, header);
  if (content.length > neededBytes + MAX_TRAILING_BYTES) throw longFile(file, header);
  return { header, voxelCount, content };
}

function headerBytes(file: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new UserError(`${file}: the file is empty. Copy or export it again.`);
  if (!isGzip(bytes)) return bytes.subarray(0, MAX_HEADER_BYTES);
  let start: Uint8Array;
  try {
    start = gunzipSync(bytes.subarray(0, PEEK_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    throw new UserError(`${file}: the file has a damaged gzip stream. Copy or export it again.`);
  }
  if (start.length === 0)
    throw new UserError(`${file}: the file is truncated: nothing is packed in it. Copy or export it again.`);
  return start.subarray(0, MAX_HEADER_BYTES);
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

async function inflate(file: string, bytes: Uint8Array, neededBytes: number): Promise<Uint8Array> {
  try {
    // One chunk for all of it, a little larger so that it never fills: twice as fast as growing by 16 KiB.
    const options = { chunkSize: neededBytes + 64, maxOutputLength: neededBytes + MAX_TRAILING_BYTES };
    return neededBytes < SMALL_BYTES ? gunzipSync(bytes, options) : await promisify(gunzip)(bytes, options);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new UserError(`${file}: it holds more than its header says. Export the file again.`);
    }
    const what = code === 'Z_BUF_ERROR' ? 'is truncated (its gzip stream ends early)' : 'has a damaged gzip stream';
    throw new UserError(`${file}: the file ${what}. Copy or export it again.`);
  }
}

const contentOf = (header: NiftiHeader): string =>
  `${statedSizes(header).join(' x ')} voxels of ${header.voxelType.name}`;

function shortFile(file: string, header: NiftiHeader): UserError {
  return new UserError(
    `${file}: the file is truncated: it is too short for the ${contentOf(header)} that its ` +
      'header states. Copy or export it again.',
  );
}

function largeFile(file: string, header: NiftiHeader): UserError {
  return new UserError(`${file}: ${contentOf(header)} are more than can be read at once. Crop or resample the scan.`);
}

function longFile(file: string, header: NiftiHeader): UserError {
  return new UserError(
    `${file}: the file is longer than the ${contentOf(header)} that its header states. Export it again.`,
  );
}

function storedVoxels(
  content: Uint8Array,
  { dataOffset, voxelType, littleEndian }: NiftiHeader,
  count: number,
): Voxels {
  const mustSwap = voxelType.bytes > 1 && littleEndian !== (endianness() === 'LE');
  const start = content.byteOffset + dataOffset;
  if (!mustSwap && start % voxelType.bytes === 0) return voxelType.view(content.buffer, start, count);
  const copy = Uint8Array.from(content.subarray(dataOffset, dataOffset + count * voxelType.bytes));
  if (mustSwap) swapBytes(copy, voxelType);
  return voxelType.view(copy.buffer, 0, count);
}

function swapBytes(bytes: Uint8Array, { bytes: width }: VoxelType): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  if (width === 4) buffer.swap32();
  if (width === 8) buffer.swap64();
}

/** Beyond this, a float32 has no room for every whole number. */
const largestWholeFloat32 = 2 ** 24;

function scaled(
  stored: Voxels,
  { slope, intercept }: NonNullable<NiftiHeader['scale']>,
  { largest = Infinity }: VoxelType,
): Float32Array | Float64Array {
  const holdsWhole = Math.abs(slope) * largest + Math.abs(intercept) < largestWholeFloat32;
  const values = holdsWhole ? new Float32Array(stored.length) : new Float64Array(stored.length);
  for (let i = 0; i < values.length; i++) values[i] = stored[i] * slope + intercept;
  return values;
}

/**
 * Writes a volume, gzip-compressed where the name ends in `.gz`, under a temporary name that is renamed once the bytes
 * are on the disk: a reader sees the old file or the whole new one.
 * @throws UserError where the folder cannot be written to.
 */
export async function writeNifti(file: string, volume: WritableVolume): Promise<void> {
  const type = voxelTypeOf(volume.data);
  const prefix = 'prefix' in volume ? volume.prefix : createHeaderBytes(volume.affine);
  const header = describeValues(prefix, file, statedSizes({ channels: 1, ...volume }), type);
  const { littleEndian, version } = parseHeader(header, file);
  const data = Uint8Array.from(new Uint8Array(volume.data.buffer, volume.data.byteOffset, volume.data.byteLength));
  if (littleEndian !== (endianness() === 'LE')) swapBytes(data, type);
  const content = Buffer.concat([header, data]);
  if (volume.maker !== undefined) markNifti(content, version, volume.maker);
  await writeAtomically(file, /\.gz$/i.test(file) ? await promisify(gzip)(content, { level: 1 }) : content);
}
