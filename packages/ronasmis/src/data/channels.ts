import { basename, dirname, join } from 'node:path';
import { allErrors, UserError } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import { caseName, caseNames } from '../formats/case-names.ts';
import { type Misplaced, placeOn } from '../formats/placement.ts';
import { faultOf, type Volume } from '../formats/volume.ts';
import { clipOutliers } from './outliers.ts';

/** A scan: one file with all of its channels along the fourth dimension, or one file a channel, in their order. */
export interface ScanFiles {
  readonly name: string;
  readonly files: readonly string[];
}

/** Whether a file is named as nnU-Net names those of a channel: `CASE_0000.nii.gz`. */
export const isChannelFile = (file: string): boolean => /_\d{4}$/.test(caseName(file));

/** The path of the scan that a channel's file belongs to. */
export const withoutChannel = (path: string): string => join(dirname(path), caseName(path).replace(/_\d{4}$/, ''));

/**
 * Scans whose channels lie in files of their own, as {@link findChannels} finds them.
 * @throws UserError where one is missing or too many
 */
export function groupChannels(files: readonly string[], wantedChannels?: number): readonly ScanFiles[] {
  const { scans, problems } = findChannels(files, wantedChannels);
  if (problems.length > 0) throw allErrors(problems);
  return scans;
}

/**
 * Scans whose channels lie in files of their own, `CASE_0000`, `CASE_0001` and so on, as nnU-Net has them; named `CASE`. Files that are named otherwise
 * are scans that hold all of their channels.
 * @param wantedChannels of every scan; as many as the scan with the most where it is left out
 * @param folder in which they were found
 * @returns the whole scans, and a sentence for each of which a file is missing or too many
 */
export function findChannels(
  files: readonly string[],
  wantedChannels?: number,
  folder?: string,
): { readonly scans: readonly ScanFiles[]; readonly problems: readonly string[] } {
  const [channelFiles, others] = [true, false].map((wanted) => files.filter((file) => isChannelFile(file) === wanted));
  // By the path without ending and number: folders may hold files of the same names.
  const scans = groupBy(channelFiles.toSorted(), withoutChannel);
  const channels = wantedChannels ?? Math.max(...[...scans.values()].map(({ length }) => length));
  const incomplete = new Map<string, string>();
  for (const [path, found] of scans) {
    const name = basename(path);
    const wanted = Array.from({ length: channels }, (_, channel) => `${name}_${String(channel).padStart(4, '0')}`);
    const names = found.map(caseName);
    const missing = wanted.find((file) => !names.includes(file));
    if (missing === undefined && names.length === channels) continue;
    const what = missing === undefined ? `there are ${names.length} files` : `${missing} is not there`;
    const sentence = `of its scan, which needs ${channels} channel files, ${what}. Add or remove files.`;
    incomplete.set(path, `${found[0]}: ${sentence}`);
  }
  const found = [...scans, ...others.map((file) => [file, [file]] as const)];
  const names = caseNames(
    found.map(([path]) => path),
    folder,
  );
  return {
    scans: found.flatMap(([path, files], i) => (incomplete.has(path) ? [] : [{ name: names[i], files }])),
    problems: [...incomplete.values()],
  };
}

/** Scans of one file each. */
export function singleScans(files: readonly string[], folder?: string): readonly ScanFiles[] {
  const names = caseNames(files, folder);
  return files.map((file, i) => ({ name: names[i], files: [file] }));
}

/**
 * The scan that the volumes of its files are, as {@link clipOutliers} leaves it.
 * @param onMisplaced told of files that lie a little beside the first
 * @throws UserError where they are not on one grid, or make no 3D scan
 */
export function scanOf(
  volumes: readonly Volume[],
  onMisplaced?: (channel: Misplaced) => void,
): ReturnType<typeof clipOutliers> {
  const volume = joinChannels(volumes, onMisplaced);
  const fault = faultOf(volume);
  if (fault !== undefined) throw new UserError(`${volume.file}: ${fault}`);
  return clipOutliers(volume);
}

/**
 * One volume of several that have a channel each, with its channels along the fourth dimension, in the first one's voxel order.
 * @throws UserError where their grids differ
 */
export function joinChannels(volumes: readonly Volume[], onMisplaced?: (channel: Misplaced) => void): Volume {
  const [first, ...others] = volumes;
  if (others.length === 0) return first;
  const vector = volumes.find(({ channels }) => channels > 1);
  if (vector) throw new UserError(`${vector.file}: it has several channels itself. Keep one in each channel file.`);
  const data = new Float32Array(volumes.length * first.data.length);
  data.set(first.data);
  others.forEach((other, index) => {
    const { kind, volume, what, voxels } = placeOn(other, first);
    if (kind === 'elsewhere') throw new UserError(`${other.file}: ${what}. Export all channels of a scan on one grid.`);
    if (kind === 'near') onMisplaced?.({ file: other.file, what, voxels });
    data.set(volume.data, (index + 1) * first.data.length);
  });
  return { ...first, channels: volumes.length, data };
}
