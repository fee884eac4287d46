import type { Triple } from './affine.ts';
import { spatialShape } from './case.ts';
import type { Crop } from './crop.ts';
import type { Label } from './dataset.ts';
import { type Volume, writeNifti } from './nifti.ts';
import type { Voxels } from './nifti-types.ts';

/** What a network says about a prepared image. */
export interface Segmentation {
  /** The class of each voxel of the crop, flat `[depth, height, width]`. */
  readonly classes: Uint8Array;
  /** Of the crop, `[depth, height, width]`. */
  readonly shape: Triple;
  readonly crop: Crop;
}

/**
 * Writes a segmentation on its scan's own grid, with the data set's label values: uint8 where they fit. What was cropped
 * away is background; affine, form codes, spacing, units and extensions are the scan's.
 * @throws UserError where the folder cannot be written to.
 */
export async function writeLabelMap(
  file: string,
  scan: Volume,
  segmentation: Segmentation,
  labels: readonly Label[],
): Promise<void> {
  const [depth, height, width] = spatialShape(scan);
  const data = emptyLabelMap(depth * height * width, Math.max(...labels.map(({ value }) => value)));
  const { classes, shape, crop } = segmentation;
  for (let z = 0; z < shape[0]; z++) {
    for (let y = 0; y < shape[1]; y++) {
      const from = (z * shape[1] + y) * shape[2];
      const to = ((z + crop.offset[0]) * height + y + crop.offset[1]) * width + crop.offset[2];
      for (let x = 0; x < shape[2]; x++) data[to + x] = labels[classes[from + x]].value;
    }
  }
  await writeNifti(file, { shape: [width, height, depth], data, prefix: scan.prefix });
}

function emptyLabelMap(voxels: number, largest: number): Voxels {
  if (largest <= 255) return new Uint8Array(voxels);
  return largest <= 32_767 ? new Int16Array(voxels) : new Int32Array(voxels);
}
