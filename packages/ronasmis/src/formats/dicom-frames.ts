import type { Voxels } from '../base/voxels.ts';

/** A frame of a segmentation: what of a slice is of one label. */
export interface Frame {
  /** Index into the values. */
  readonly label: number;
  readonly slice: number;
}

/**
 * The frames in which there is something: label by label, slice by slice. Where there is nothing at all, the first label's frame of the first
 * slice, since there is no object without a frame.
 * @param data `[slice, row, column]`
 * @param pixels of a slice
 */
export function framesOf(data: Voxels, pixels: number, values: readonly number[]): readonly Frame[] {
  const slices = data.length / pixels;
  const labels = new Map(values.map((value, label) => [value, label]));
  const found = values.map(() => new Set<number>());
  for (let slice = 0; slice < slices; slice++) {
    let last = Number.NaN;
    for (let i = slice * pixels; i < (slice + 1) * pixels; i++) {
      if (data[i] === last) continue;
      last = data[i];
      const label = labels.get(last);
      if (label !== undefined) found[label].add(slice);
    }
  }
  const frames = found.flatMap((inSlices, label) => [...inSlices].map((slice) => ({ label, slice })));
  return frames.length > 0 ? frames : [{ label: 0, slice: 0 }];
}

/**
 * One bit a pixel, the first in the lowest bit of the first byte, and no gap between frames (part 5, 8.1.1 and annex D).
 * @param data `[slice, row, column]`
 * @param pixels of a slice
 */
export function packFrames(
  data: Voxels,
  pixels: number,
  values: readonly number[],
  frames: readonly Frame[],
): Uint8Array {
  const packed = new Uint8Array(Math.ceil((frames.length * pixels) / 8));
  let bit = 0;
  for (const { label, slice } of frames) {
    const value = values[label];
    for (let i = slice * pixels; i < (slice + 1) * pixels; i++, bit++) {
      // A bit's byte by a division, since an index may have more than 32 bits.
      if (data[i] === value) packed[Math.floor(bit / 8)] |= 1 << (bit % 8);
    }
  }
  return packed;
}
