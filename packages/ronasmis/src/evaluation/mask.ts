import type { Box, Triple } from '../base/geometry.ts';
import type { Labels } from './overlap.ts';

/** The mask of one class inside a box: 1 where the volume of `shape` has the label. */
export function cropMask(labels: Labels, label: number, shape: Triple, box: Box): Uint8Array {
  const [depth, height, width] = box.shape;
  const mask = new Uint8Array(depth * height * width);
  for (let z = 0, voxel = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const row = ((z + box.offset[0]) * shape[1] + y + box.offset[1]) * shape[2] + box.offset[2];
      for (let x = 0; x < width; x++, voxel++) mask[voxel] = labels[row + x] === label ? 1 : 0;
    }
  }
  return mask;
}
