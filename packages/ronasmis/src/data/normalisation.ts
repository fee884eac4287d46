import { z } from 'zod';
import type { Triple } from '../base/geometry.ts';
import { meanAndDeviation } from '../base/statistics.ts';
import type { Intensities } from './fingerprint.ts';
import { nonzeroMask } from './nonzero-mask.ts';

/**
 * How the intensities of a channel are made comparable, as nnU-Net does (Isensee et al. 2021, supplement 2): z-scored scan by scan, all of it or
 * what lies within the {@link nonzeroMask} alone, the rest being 0; or, where they have a meaning of their own as those of CT, clipped and scaled
 * by what they are in the whole data set.
 */
export const normalisationSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('z_score') }),
  z.object({ kind: z.literal('masked_z_score') }),
  z.object({ kind: z.literal('data_set'), low: z.number(), high: z.number(), mean: z.number(), deviation: z.number() }),
]);
/** How the intensities of a channel are normalised. */
export type Normalisation = z.infer<typeof normalisationSchema>;

export const zScore: Normalisation = { kind: 'z_score' };
export const maskedZScore: Normalisation = { kind: 'masked_z_score' };
/** A constant channel is divided by this instead of by 0, as nnU-Net does. */
const smallestDeviation = 1e-8;

/** Whether a channel of this name shows CT, in Hounsfield units. */
export const isCt = (channel: string): boolean => channel.toUpperCase() === 'CT';

/**
 * CT is clipped to the 0.5th and 99.5th percentile of the data set's labelled voxels and scaled by their mean and deviation; whatever else is
 * z-scored.
 * @param intensities of each channel over labelled voxels
 * @param isMasked whether what is z-scored is so within the mask of what is not 0
 */
export function normalisationsFor(
  channels: readonly string[],
  intensities: readonly Intensities[],
  isMasked = false,
): readonly Normalisation[] {
  return channels.map((channel, index) => {
    if (!isCt(channel)) return isMasked ? maskedZScore : zScore;
    const { percentile005: low, percentile995: high, mean, deviation } = intensities[index];
    return { kind: 'data_set', low, high, mean, deviation };
  });
}

/** The mask that these normalisations go by; undefined where none does. @param image `[channel, depth, height, width]`, asked for where one does */
export function maskFor(
  normalisations: readonly Normalisation[],
  image: () => Float32Array,
  shape: Triple,
): Uint8Array | undefined {
  return normalisations.some(({ kind }) => kind === 'masked_z_score') ? nonzeroMask(image(), shape) : undefined;
}

/**
 * Normalises a channel in place; false, and nothing done, where a value is not a number.
 * @param mask what {@link maskFor} says of the image that it belongs to
 */
export function normalise(values: Float32Array, normalisation: Normalisation, mask: Uint8Array | undefined): boolean {
  if (normalisation.kind === 'masked_z_score') return normaliseWithin(values, mask);
  const own = meanAndDeviation(values);
  if (!Number.isFinite(own.deviation)) return false;
  const [low, high] =
    normalisation.kind === 'z_score' ? [-Infinity, Infinity] : [normalisation.low, normalisation.high];
  const { mean, deviation } = normalisation.kind === 'z_score' ? own : normalisation;
  const scale = 1 / Math.max(deviation, smallestDeviation);
  for (let i = 0; i < values.length; i++) values[i] = (Math.min(high, Math.max(low, values[i])) - mean) * scale;
  return true;
}

/** The z-scores of what is inside, as nnU-Net's `ZScoreNormalization` with `use_mask_for_norm`; what is outside is 0, and stays so. */
function normaliseWithin(values: Float32Array, mask: Uint8Array | undefined): boolean {
  if (mask === undefined) throw new Error('Z-scores within a mask need one.');
  const inside = values.filter((_, voxel) => mask[voxel] === 1);
  if (inside.length === 0) return true;
  const { mean, deviation } = meanAndDeviation(inside);
  if (!Number.isFinite(deviation)) return false;
  const scale = 1 / Math.max(deviation, smallestDeviation);
  for (let i = 0; i < values.length; i++) values[i] = mask[i] === 1 ? (values[i] - mean) * scale : 0;
  return true;
}

/**
 * Makes what is outside of a mask 0 again in an image that was resampled, where its z-scores are within one. nnU-Net lets the splines swing there,
 * but sees that in prediction alone: from its training patches it takes it out (`MaskImageTransform`).
 * @param image `[channel, depth, height, width]`, on the grid of the mask
 */
export function clearOutside(image: Float32Array, normalisations: readonly Normalisation[], mask: Uint8Array): void {
  normalisations.forEach(({ kind }, channel) => {
    if (kind !== 'masked_z_score') return;
    const values = image.subarray(channel * mask.length, (channel + 1) * mask.length);
    for (let i = 0; i < values.length; i++) if (mask[i] === 0) values[i] = 0;
  });
}
