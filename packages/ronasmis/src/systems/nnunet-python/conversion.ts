import { constants } from 'node:fs';
import { copyFile, link, realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../base/errors.ts';
import { fixable } from '../../base/files.ts';
import { voxelsOf } from '../../base/geometry.ts';
import type { Voxels } from '../../base/voxels.ts';
import type { LoadedCase } from '../../data/case.ts';
import type { Labelling } from '../../data/description.ts';
import { orientationOf } from '../../formats/affine.ts';
import { writeNifti } from '../../formats/nifti.ts';
import { inverseOf, turnTo, turnVolume } from '../../formats/orientation.ts';
import { readGrid } from '../../formats/read-volume.ts';
import type { Grid, Volume } from '../../formats/volume.ts';

/** The file of a channel, as nnU-Net names it. */
export const channelFile = (folder: string, name: string, channel: number): string =>
  join(folder, `${name}_${String(channel).padStart(4, '0')}.nii.gz`);

/** Files of one case for nnU-Net. */
interface CaseFolders {
  readonly images: string;
  /** Without it, the case has no label map: it is one to be segmented. */
  readonly labels?: string;
}

/**
 * Gives nnU-Net a case: a file a channel, and a label map of class indices. Voxels stay in the order of the scan's own file, for nnU-Net turns
 * nothing. What is as it wants it already is a link to the user's file.
 * @param turned the case, whichever way it was turned since it was read
 * @returns the files of the image, one a channel
 */
export async function convertCase(
  turned: LoadedCase,
  folders: CaseFolders,
  labelling: Labelling,
): Promise<readonly string[]> {
  const [first] = turned.images;
  const grid = await readGrid(first);
  const back = inverseOf(turnTo(grid, orientationOf(turned.imageVolume.affine)));
  const files = await convertImage(turned.name, turned.images, folders.images, () =>
    turnVolume(turned.imageVolume, back),
  );
  if (folders.labels === undefined) return files;
  const target = join(folders.labels, `${turned.name}.nii.gz`);
  const { label, labelVolume } = turned;
  const values = valuesOf(labelling);
  const isAsWanted =
    isPackedNifti(label) && isWhole(labelVolume.data) && values.every((value, index) => value === index);
  if (isAsWanted && isSameGrid(await readGrid(label), grid)) await linkTo(label, target);
  else {
    // The scan's header: the label map's own may have its axes another way round.
    const { prefix } = turned.imageVolume;
    const { shape, data } = turnVolume(labelVolume, back);
    await writeNifti(target, { shape, data: toIndices(data, values), prefix });
  }
  return files;
}

/**
 * The same of an image alone.
 * @param load its volume in the voxel order of its first file, where a file is not one channel
 */
export async function convertImage(
  name: string,
  files: readonly string[],
  folder: string,
  load: () => Volume | Promise<Volume>,
): Promise<readonly string[]> {
  const grids = await Promise.all(files.map(readGrid));
  const isOneEach = grids.every(({ channels }) => channels === 1) && files.every(isPackedNifti);
  if (isOneEach && grids.every((grid) => isSameGrid(grid, grids[0]))) {
    const targets = files.map((_, channel) => channelFile(folder, name, channel));
    await Promise.all(files.map((file, channel) => linkTo(file, targets[channel])));
    return targets;
  }
  const { shape, channels, data, prefix } = await load();
  const voxels = voxelsOf(shape);
  const targets = Array.from({ length: channels }, (_, channel) => channelFile(folder, name, channel));
  for (const [channel, target] of targets.entries())
    await writeNifti(target, { shape, data: data.slice(channel * voxels, (channel + 1) * voxels), prefix });
  return targets;
}

/** By class index, the values of label maps, and behind them the one that is ignored. */
const valuesOf = ({ labels, ignoredValue }: Labelling): readonly number[] => [
  ...labels.map(({ value }) => value),
  ...(ignoredValue === undefined ? [] : [ignoredValue]),
];

function toIndices(data: Voxels, values: readonly number[]): Voxels {
  const indices = new Map(values.map((value, index) => [value, index]));
  const converted = values.length <= 256 ? new Uint8Array(data.length) : new Int16Array(data.length);
  for (let voxel = 0; voxel < data.length; voxel++) converted[voxel] = indices.get(data[voxel]) ?? 0;
  return converted;
}

const isPackedNifti = (file: string): boolean => file.toLowerCase().endsWith('.nii.gz');

const isWhole = (data: Voxels): boolean => !(data instanceof Float32Array || data instanceof Float64Array);

/** nnU-Net takes files as they are: only those of the very same voxels go together. */
const isSameGrid = (one: Grid, other: Grid): boolean =>
  String(one.shape) === String(other.shape) && String(one.affine) === String(other.affine);

/** Gives a file a second name, or leads there; where the file system knows neither, copies it. */
async function linkTo(file: string, target: string): Promise<void> {
  const ignore =
    (...codes: readonly string[]) =>
    (error: unknown): true => {
      if (!codes.includes(codeOf(error))) throw error;
      return true;
    };
  const noHardLink = ignore('EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP');
  const noLink = ignore('EPERM', 'ENOTSUP', 'EOPNOTSUPP');
  await fixable(target, async () => {
    // Of a link, the file that it leads to.
    const real = await realpath(file);
    if (!(await link(real, target).catch(noHardLink))) return;
    if (!(await symlink(real, target).catch(noLink))) return;
    await copyFile(real, target, constants.COPYFILE_EXCL);
  });
}
