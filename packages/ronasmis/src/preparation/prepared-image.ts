import { UserError } from '../base/errors.ts';
import { formatAxes } from '../base/figures.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import { sharedFloat32 } from '../base/shared.ts';
import { type Crop, cropChannel, foregroundBox } from '../data/crop.ts';
import { clearOutside, maskFor, type Normalisation, normalise } from '../data/normalisation.ts';
import { misfitAt, type Sampling, shapeAt } from '../data/spacing.ts';
import type { Volume } from '../formats/volume.ts';
import { imageAt, labelAt } from './at-spacing.ts';

/** An image as the network takes it. */
export interface PreparedImage {
  /** `[channel, depth, height, width]`, each channel normalised. */
  readonly image: Float32Array;
  readonly channels: number;
  /** `[depth, height, width]`; another one than the crop's own where it was resampled. */
  readonly shape: Triple;
  /** `[depth, height, width]` in millimetres. */
  readonly spacing: Triple;
  /** Where the crop lies in the scan. */
  readonly crop: Crop;
}

/**
 * The image of a scan, cropped to its non-zero voxels, normalised channel by channel and resampled, in shared memory.
 * @param normalisations of each channel; where there are none, intensities are left as they are
 * @param spacing of the result, `[depth, height, width]` in millimetres; the scan's own where it is left out
 * @throws UserError where a voxel is not a number, or the scan would become far too large
 */
export function prepareImage(
  volume: Volume,
  normalisations: readonly Normalisation[],
  spacing?: Triple,
): PreparedImage {
  const { channels } = volume;
  const box = foregroundBox(volume);
  const voxels = voxelsOf(box.shape);
  const image = sharedFloat32(channels * voxels);
  const channelOf = (channel: number): Float32Array => image.subarray(channel * voxels, (channel + 1) * voxels);
  for (let channel = 0; channel < channels; channel++) cropChannel(volume, channel, box, channelOf(channel));
  const mask = maskFor(normalisations, () => image, box.shape);
  normalisations.forEach((normalisation, channel) => {
    if (normalise(channelOf(channel), normalisation, mask)) return;
    const what = `channel ${channel} holds voxels that are not numbers (NaN or infinite)`;
    throw new UserError(`${volume.file}: ${what}. Replace them, by 0 for example.`);
  });
  const own = { shape: box.shape, spacing: volume.spacing };
  const cropped = { image, channels, ...own, crop: { ...box, scanShape: volume.shape } };
  if (spacing === undefined || !changesShape(own, spacing)) return cropped;
  const misfit = misfitAt(own, spacing);
  if (misfit !== undefined) {
    const what = `its spacing of ${formatAxes(own.spacing)} mm is far from that of the training data, ${formatAxes(spacing)} mm`;
    throw new UserError(`${volume.file}: ${what}: resampled, it would be ${misfit}. Correct its header.`);
  }
  const resampled = imageAt(image, channels, own, spacing);
  if (mask) clearOutside(resampled, normalisations, labelAt(mask, own, spacing));
  return { ...cropped, image: resampled, shape: shapeAt(own, spacing), spacing };
}

/** Whether a volume gets other voxels at a spacing. */
export const changesShape = (own: Sampling, spacing: Triple): boolean =>
  String(shapeAt(own, spacing)) !== String(own.shape);
