import { z } from 'zod';
import { type Box, tripleSchema } from '../base/geometry.ts';
import type { Volume } from '../formats/volume.ts';

/** A box with what it was taken from: what is needed to put a prediction back into the scan. */
export const cropSchema = z
  .object({
    /** The crop's first voxel in the scan, `[depth, height, width]`. */
    offset: tripleSchema,
    /** The crop's own shape, in voxels of the scan. */
    shape: tripleSchema,
    /** The scan's own shape. */
    scanShape: tripleSchema,
  })
  .readonly();
export type Crop = z.infer<typeof cropSchema>;

/** The smallest box that holds every non-zero voxel of every channel; the whole volume where all are zero. */
export function foregroundBox({ data, channels, shape }: Pick<Volume, 'data' | 'channels' | 'shape'>): Box {
  const [depth, height, width] = shape;
  const first = [depth, height, width];
  const last = [-1, -1, -1];
  for (let row = 0; row < channels * depth * height; row++) {
    const start = row * width;
    let left = 0;
    while (left < width && data[start + left] === 0) left++;
    if (left === width) continue;
    let right = width - 1;
    while (data[start + right] === 0) right--;
    const y = row % height;
    const z = Math.floor(row / height) % depth;
    [z, y, left].forEach((index, axis) => {
      if (index < first[axis]) first[axis] = index;
    });
    [z, y, right].forEach((index, axis) => {
      if (index > last[axis]) last[axis] = index;
    });
  }
  if (last[0] < 0) return { offset: [0, 0, 0], shape };
  const size = (axis: number) => last[axis] - first[axis] + 1;
  return { offset: [first[0], first[1], first[2]], shape: [size(0), size(1), size(2)] };
}

/** Copies the box out of one channel of a volume into `target`, converting to its type. */
export function cropChannel(
  { data, shape }: Pick<Volume, 'data' | 'shape'>,
  channel: number,
  box: Box,
  target: Float32Array,
): void {
  const [depth, height, width] = shape;
  const [boxDepth, boxHeight, boxWidth] = box.shape;
  for (let z = 0; z < boxDepth; z++) {
    for (let y = 0; y < boxHeight; y++) {
      const plane = (channel * depth + box.offset[0] + z) * height;
      const from = (plane + box.offset[1] + y) * width + box.offset[2];
      target.set(data.subarray(from, from + boxWidth), (z * boxHeight + y) * boxWidth);
    }
  }
}
