import { resampleCubic, resampleLabels, scope, tensor } from '@ronasmis/libtorch';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import { sharedFloat32, sharedUint8 } from '../base/shared.ts';
import { type Sampling, shapeAt, thickAxis } from '../data/spacing.ts';

/**
 * An image at another spacing, as nnU-Net resamples: cubic B-splines between the same outer edges, along thick slices the nearest one.
 * @param image `[channel, depth, height, width]` on `grid`
 * @returns the same in shared memory, of {@link shapeAt}
 */
export function imageAt(image: Float32Array, channels: number, grid: Sampling, spacing: Triple): Float32Array {
  const size = shapeAt(grid, spacing);
  const [from, to] = [voxelsOf(grid.shape), voxelsOf(size)];
  const resampled = sharedFloat32(channels * to);
  for (let channel = 0; channel < channels; channel++) {
    const values = scope(() => {
      const volume = tensor(image.subarray(channel * from, (channel + 1) * from), grid.shape, { share: true });
      return resampleCubic(volume, size, { nearestAxis: thickAxis(grid.spacing, spacing) }).toArray();
    });
    if (!(values instanceof Float32Array)) throw new TypeError('Images are float32.');
    resampled.set(values, channel * to);
  }
  return resampled;
}

/**
 * Class indices at another spacing: the class of which the most is there by linear weights, along thick slices the nearest.
 * @param label `[depth, height, width]` on `grid`
 * @returns the same in shared memory, of {@link shapeAt}
 */
export function labelAt(label: Uint8Array, grid: Sampling, spacing: Triple): Uint8Array {
  const size = shapeAt(grid, spacing);
  const values = scope(() => {
    const volume = tensor(label, grid.shape, { share: true });
    return resampleLabels(volume, size, { nearestAxis: thickAxis(grid.spacing, spacing) }).toArray();
  });
  if (!(values instanceof Uint8Array)) throw new TypeError('Labels are uint8.');
  const resampled = sharedUint8(values.length);
  resampled.set(values);
  return resampled;
}
