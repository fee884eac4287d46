import { constants as bufferLimits } from 'node:buffer';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync, gzip } from 'node:zlib';
import { codeOf, UserError } from '../base/errors.ts';
import { fixable, readBytes, sizeOf, writeAtomically } from '../base/files.ts';
import { endings } from './endings.ts';
import {
  type NiftiVolume,
  niftiContent,
  niftiVolume,
  PackingError,
  PEEK_BYTES,
  readHeader,
  type Unpacking,
  unpackNifti,
  type WritableVolume,
} from './nifti-content.ts';
import type { NiftiHeader } from './nifti-header.ts';
import { type Maker, makerOf, markNifti } from './nifti-mark.ts';
import type { FileFormat } from './volume.ts';

/** So little is unpacked sooner than another thread is woken up to do it. */
const SMALL_BYTES = 2 ** 20;
/** As zlib unpacks: the small at once, the others in another thread. */
const unpacking: Unpacking = {
  start: async (bytes) => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }),
  whole: async (bytes, expected, most) => {
    try {
      // One chunk for all of it, a little larger so that it never fills: twice as fast as growing by 16 KiB.
      const options = { chunkSize: expected + 64, maxOutputLength: most };
      return expected < SMALL_BYTES ? gunzipSync(bytes, options) : await promisify(gunzip)(bytes, options);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ERR_BUFFER_TOO_LARGE') throw new PackingError('too_long');
      throw new PackingError(code === 'Z_BUF_ERROR' ? 'truncated' : 'damaged');
    }
  },
  mostBytes: bufferLimits.MAX_LENGTH,
};

/** NIfTI-1 and NIfTI-2, packed or not, whatever the name says. */
export const nifti: FileFormat = {
  kind: 'one_file',
  endings: endings.nifti,
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
    return await readHeader(file, start.subarray(0, bytesRead), unpacking);
  } finally {
    await handle.close();
  }
}

/** The volume in the bytes of `file`. @throws UserError as `readNifti` does. */
export function decodeNifti(file: string, bytes: Uint8Array): Promise<NiftiVolume> {
  return niftiVolume(file, bytes, unpacking);
}

/** Whose work a file is, as `writeNifti` has left it; undefined where it is nobody's of ours, was changed since or can't be read. */
export async function niftiMaker(file: string): Promise<Maker | undefined> {
  try {
    const { header, content } = await unpackNifti(file, await readBytes(file), unpacking);
    return makerOf(content, header.version);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/**
 * Writes a volume, gzip-compressed where the name ends in `.gz`, under a temporary name that is renamed once the bytes
 * are on the disk: a reader sees the old file or the whole new one.
 * @throws UserError where the folder cannot be written to.
 */
export async function writeNifti(file: string, volume: WritableVolume): Promise<void> {
  const { content, version } = niftiContent(file, volume);
  if (volume.maker !== undefined) markNifti(content, version, volume.maker);
  await writeAtomically(file, /\.gz$/i.test(file) ? await promisify(gzip)(content, { level: 1 }) : content);
}
