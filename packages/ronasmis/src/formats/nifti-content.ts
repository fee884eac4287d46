import { joined } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import type { Affine } from './affine.ts';
import { createHeaderBytes, describeValues, MAX_HEADER_BYTES, type NiftiHeader, parseHeader } from './nifti-header.ts';
import type { Maker } from './nifti-mark.ts';
import { type VoxelType, voxelTypeOf } from './nifti-types.ts';
import { statedSizes, type Volume } from './volume.ts';

// What the bytes of a NIfTI file mean. Nothing of Node is used, so that a page can read and write them too.

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

/** How packed bytes are unpacked: by zlib in Node, by the browser's own streams in a page. */
export interface Unpacking {
  /** The first bytes of what is packed in the first bytes of a file, as many as a header has at least. @throws any error where they are damaged */
  readonly start: (bytes: Uint8Array) => Promise<Uint8Array>;
  /**
   * All that is packed.
   * @param expected bytes that it should come to
   * @param most more of them are not unpacked
   * @throws PackingError
   */
  readonly whole: (bytes: Uint8Array, expected: number, most: number) => Promise<Uint8Array>;
  /** Bytes that an array can have at most. */
  readonly mostBytes: number;
}

/** Why packed bytes can't be unpacked. */
export class PackingError extends Error {
  override readonly name = 'PackingError';
  readonly why: 'truncated' | 'damaged' | 'too_long';

  constructor(why: PackingError['why']) {
    super(`The packed bytes are ${why}.`);
    this.why = why;
  }
}

/** Bytes behind the voxels that are ignored, as nibabel does: some programs pad. */
const MAX_TRAILING_BYTES = 65_536;
/** Deflate cannot pack more than this many bytes into one. */
const MAX_DEFLATE_RATIO = 1032;

/**
 * The volume in the bytes of `file`: NIfTI-1 or NIfTI-2, packed or not, either byte order, any real voxel type.
 * @throws UserError where it is truncated, damaged or of a kind that is not supported
 */
export async function niftiVolume(file: string, bytes: Uint8Array, unpacking: Unpacking): Promise<NiftiVolume> {
  const { header, voxelCount, content } = await unpackNifti(file, bytes, unpacking);
  const prefix = Uint8Array.from(content.subarray(0, header.dataOffset));
  const stored = storedVoxels(content, header, voxelCount);
  const { scale, voxelType } = header;
  const read = { ...header, file, prefix };
  if (!scale) return { ...read, data: stored };
  return { ...read, data: scaled(stored, scale, voxelType), ...(voxelType.largest && { step: Math.abs(scale.slope) }) };
}

/** The header of `file` and its bytes, unpacked. @throws UserError as {@link niftiVolume} does */
export async function unpackNifti(file: string, bytes: Uint8Array, unpacking: Unpacking) {
  const header = await readHeader(file, bytes, unpacking);
  const voxelCount = header.channels * voxelsOf(header.shape);
  const neededBytes = header.dataOffset + voxelCount * header.voxelType.bytes;
  // Checked before anything of that size is allocated: a damaged header may claim petabytes.
  const possibleBytes = isGzip(bytes) ? bytes.length * MAX_DEFLATE_RATIO : bytes.length;
  if (neededBytes > possibleBytes) throw shortFile(file, header);
  if (neededBytes + MAX_TRAILING_BYTES > unpacking.mostBytes) throw largeFile(file, header);
  const content = isGzip(bytes) ? await inflate(file, bytes, neededBytes, unpacking) : bytes;
  if (content.length < neededBytes) throw shortFile(file, header);
  if (content.length > neededBytes + MAX_TRAILING_BYTES) throw longFile(file, header);
  return { header, voxelCount, content };
}

/** The header of `file`, by its first bytes at least. @throws UserError as {@link niftiVolume} does */
export async function readHeader(file: string, bytes: Uint8Array, unpacking: Unpacking): Promise<NiftiHeader> {
  if (bytes.length === 0) throw new UserError(`${file}: the file is empty. Copy or export it again.`);
  if (!isGzip(bytes)) return parseHeader(bytes.subarray(0, MAX_HEADER_BYTES), file);
  const start = await unpacking.start(bytes.subarray(0, PEEK_BYTES)).catch(() => {
    throw new UserError(`${file}: the file has a damaged gzip stream. Copy or export it again.`);
  });
  if (start.length === 0)
    throw new UserError(`${file}: the file is truncated: nothing is packed in it. Copy or export it again.`);
  return parseHeader(start.subarray(0, MAX_HEADER_BYTES), file);
}

/** Compressed bytes that surely hold a whole header. */
export const PEEK_BYTES = 8192;

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

async function inflate(
  file: string,
  bytes: Uint8Array,
  neededBytes: number,
  { whole }: Unpacking,
): Promise<Uint8Array> {
  try {
    return await whole(bytes, neededBytes, neededBytes + MAX_TRAILING_BYTES);
  } catch (error) {
    if (!(error instanceof PackingError)) throw error;
    if (error.why === 'too_long')
      throw new UserError(`${file}: it holds more than its header says. Export the file again.`);
    const what = error.why === 'truncated' ? 'is truncated (its gzip stream ends early)' : 'has a damaged gzip stream';
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
  const mustSwap = voxelType.bytes > 1 && littleEndian !== isLittleEndian;
  const start = content.byteOffset + dataOffset;
  if (!mustSwap && start % voxelType.bytes === 0) return voxelType.view(content.buffer, start, count);
  const copy = Uint8Array.from(content.subarray(dataOffset, dataOffset + count * voxelType.bytes));
  if (mustSwap) swapBytes(copy, voxelType);
  return voxelType.view(copy.buffer, 0, count);
}

/** Whether this machine has the lower byte of a number first. */
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function swapBytes(bytes: Uint8Array, { bytes: width }: VoxelType): void {
  for (let first = 0; first < bytes.length; first += width) {
    for (let one = first, other = first + width - 1; one < other; one++, other--) {
      const byte = bytes[one];
      bytes[one] = bytes[other];
      bytes[other] = byte;
    }
  }
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
 * The bytes of a NIfTI file of a volume, not packed, and the version of its header.
 * @param file named in what is thrown
 */
export function niftiContent(
  file: string,
  volume: WritableVolume,
): { readonly content: Uint8Array; readonly version: 1 | 2 } {
  const type = voxelTypeOf(volume.data);
  const prefix = 'prefix' in volume ? volume.prefix : createHeaderBytes(volume.affine);
  const header = describeValues(prefix, file, statedSizes({ channels: 1, ...volume }), type);
  const { littleEndian, version } = parseHeader(header, file);
  const { buffer, byteOffset, byteLength } = volume.data;
  const data = Uint8Array.from(new Uint8Array(buffer, byteOffset, byteLength));
  if (littleEndian !== isLittleEndian) swapBytes(data, type);
  return { content: joined([header, data]), version };
}
