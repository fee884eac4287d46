import { voxelsOf } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import type { Crop } from '../data/crop.ts';
import type { Label } from '../data/label.ts';
import { inverseOf, type Turn, turnVoxels } from '../formats/orientation.ts';

/** What a network says about a scan, within the crop that it saw. */
export interface Segmentation {
  /** The class of each of the crop's own voxels, flat `[depth, height, width]`. */
  readonly classes: Uint8Array;
  /** The probability of each class there, flat `[class, depth, height, width]`, where it was asked for. */
  readonly probabilities?: Float32Array;
  readonly crop: Crop;
  /** From the scan's own voxel order to that of the prepared image. */
  readonly turn: Turn;
}

/** The label value of each of the scan's own voxels, `[depth, height, width]`. */
export function labelValues(segmentation: Segmentation, labels: readonly Label[]): Voxels {
  const { classes, crop } = segmentation;
  const data = emptyLabelMap(voxelsOf(crop.scanShape), Math.max(...labels.map(({ value }) => value)));
  for (const { from, to } of rowsOf(crop)) {
    for (let x = 0; x < crop.shape[2]; x++) data[to + x] = labels[classes[from + x]].value;
  }
  return turnBack(data, segmentation);
}

/** The rows of a crop: where each begins in the crop and in the scan. */
export function* rowsOf({
  offset,
  shape: size,
  scanShape: shape,
}: Crop): Generator<{ readonly from: number; readonly to: number }> {
  for (let z = 0; z < size[0]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const from = (z * size[1] + y) * size[2];
      const to = ((z + offset[0]) * shape[1] + y + offset[1]) * shape[2] + offset[2];
      yield { from, to };
    }
  }
}

/** Voxels of a scan that was turned, in its own order again. */
export const turnBack = (data: Voxels, { crop, turn }: Segmentation): Voxels =>
  turnVoxels(data, crop.scanShape, inverseOf(turn));

function emptyLabelMap(voxels: number, largest: number): Voxels {
  if (largest <= 255) return new Uint8Array(voxels);
  return largest <= 32_767 ? new Int16Array(voxels) : new Int32Array(voxels);
}
