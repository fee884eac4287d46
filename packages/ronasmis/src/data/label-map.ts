import { orientationOf, type Triple } from './affine.ts';
import type { Crop } from './crop.ts';
import type { Label } from './description.ts';
import { writeNifti } from './nifti.ts';
import type { Voxels } from './nifti-types.ts';
import { turnBetween, turnVoxels } from './orientation.ts';
import type { Volume } from './volume.ts';

/** What a network says about a prepared image. */
export interface Segmentation {
  /** The class of each voxel of the crop, flat `[depth, height, width]`. */
  readonly classes: Uint8Array;
  /** Of the crop, `[depth, height, width]`. */
  readonly shape: Triple;
  readonly crop: Crop;
  /** Where the axes x, y and z of the prepared image pointed, such as 'RAS'. */
  readonly orientation: string;
}

/**
 * Writes a segmentation on its scan's own grid, with the data set's label values: uint8 where they fit. What was cropped
 * away is background; what was turned is turned back; affine, form codes, spacing, units and extensions are the scan's.
 * @throws UserError where the folder cannot be written to.
 */
export async function writeLabelMap(
  file: string,
  scan: Volume,
  segmentation: Segmentation,
  labels: readonly Label[],
): Promise<void> {
  const { classes, shape, crop, orientation } = segmentation;
  const [depth, height, width] = crop.shape;
  const data = emptyLabelMap(depth * height * width, Math.max(...labels.map(({ value }) => value)));
  for (let z = 0; z < shape[0]; z++) {
    for (let y = 0; y < shape[1]; y++) {
      const from = (z * shape[1] + y) * shape[2];
      const to = ((z + crop.offset[0]) * height + y + crop.offset[1]) * width + crop.offset[2];
      for (let x = 0; x < shape[2]; x++) data[to + x] = labels[classes[from + x]].value;
    }
  }
  const [x, y, z] = scan.shape;
  const turned = turnVoxels(data, [width, height, depth], turnBetween(orientation, orientationOf(scan.affine)));
  await writeNifti(file, { shape: [x, y, z], data: turned, prefix: scan.prefix });
}

function emptyLabelMap(voxels: number, largest: number): Voxels {
  if (largest <= 255) return new Uint8Array(voxels);
  return largest <= 32_767 ? new Int16Array(voxels) : new Int32Array(voxels);
}
