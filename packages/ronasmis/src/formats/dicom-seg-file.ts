import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { UserError } from '../base/errors.ts';
import { passOn, readBytes, writeAtomically } from '../base/files.ts';
import type { Voxels } from '../base/voxels.ts';
import { dicomSegmentation, type Segment } from './dicom-seg.ts';
import type { SourceSeries } from './dicom-source.ts';
import { FREE_BYTES } from './dicom-write.ts';
import type { Maker } from './nifti-mark.ts';

const MARK = 'RONASMIS ';

/** What a segmentation is made of. */
export interface SegmentedSeries {
  readonly source: SourceSeries;
  /** Label values on the series' own grid, `[slice, row, column]`. */
  readonly data: Voxels;
  readonly segments: readonly Segment[];
  /** Which work made it: by that, `dicomMaker` knows the file again. */
  readonly maker: Maker;
}

/** Writes a DICOM Segmentation, as `writeNifti` writes a label map. @throws UserError where the folder cannot be written to, or it would be too large */
export async function writeDicomSegmentation(
  file: string,
  { source, data, segments, maker }: SegmentedSeries,
): Promise<void> {
  const bytes = dicomSegmentation(source, data, segments, { network: maker.run, made: new Date() });
  bytes.set(Buffer.from(markOf(bytes, maker), 'latin1').subarray(0, FREE_BYTES));
  await writeAtomically(file, bytes);
}

/** Whose work a file is, as `writeDicomSegmentation` has left it; undefined where it is nobody's of ours, was changed since or can't be read. */
export async function dicomMaker(file: string): Promise<Maker | undefined> {
  try {
    const bytes = await readBytes(file);
    const found = Buffer.from(bytes.subarray(0, FREE_BYTES)).toString('latin1').split('\0')[0];
    const [, run = '', scan = ''] = found.split(' ');
    return found === markOf(bytes, { run, scan }) ? { run, scan } : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Stands in the bytes that a DICOM file has in front for whoever writes it (part 10, 7.1), with a hash of all behind them. */
function markOf(file: Uint8Array, { run, scan }: Maker): string {
  const hash = createHash('sha256').update(file.subarray(FREE_BYTES)).digest('hex');
  return `${MARK}${run} ${scan} ${hash.slice(0, 32)}`;
}

/** Whether a file begins as a segmentation of ours does, be it changed since or not; false where it cannot be read. */
export async function isMarked(file: string): Promise<boolean> {
  const handle = await open(file).catch((error: unknown) => passOn(file, error));
  if (!handle) return false;
  try {
    const { buffer } = await handle.read(Buffer.alloc(MARK.length), 0, MARK.length, 0);
    return buffer.toString('latin1') === MARK;
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}
