import type { Misplaced } from '../formats/placement.ts';
import { readVolume } from '../formats/read-volume.ts';
import { scanOf } from './channels.ts';

/**
 * Reads a scan's files as one volume, as {@link scanOf} makes it.
 * @param onMisplaced told of files that lie a little beside the first
 * @throws UserError where one cannot be read, they are not on one grid, or they make no 3D scan
 */
export async function readScan(
  files: readonly string[],
  onMisplaced?: (channel: Misplaced) => void,
): Promise<ReturnType<typeof scanOf>> {
  return scanOf(await Promise.all(files.map(readVolume)), onMisplaced);
}
