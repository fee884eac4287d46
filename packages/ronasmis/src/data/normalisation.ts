import { z } from 'zod';
import { meanAndDeviation } from '../base/statistics.ts';
import type { Intensities } from './fingerprint.ts';

/**
 * How the intensities of a channel are made comparable, as nnU-Net does (Isensee et al. 2021, supplement 2): z-scored scan by scan, or, where
 * they have a meaning of their own as those of CT, clipped and scaled by what they are in the whole data set.
 */
export const normalisationSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('z_score') }),
  z.object({ kind: z.literal('data_set'), low: z.number(), high: z.number(), mean: z.number(), deviation: z.number() }),
]);
/** How the intensities of a channel are normalised. */
export type Normalisation = z.infer<typeof normalisationSchema>;

export const zScore: Normalisation = { kind: 'z_score' };
/** A constant channel is divided by this instead of by 0, as nnU-Net does. */
const smallestDeviation = 1e-8;

/** Whether a channel of this name shows CT, in Hounsfield units. */
export const isCt = (channel: string): boolean => channel.toUpperCase() === 'CT';

/**
 * CT is clipped to the 0.5th and 99.5th percentile of the data set's labelled voxels and scaled by their mean and deviation; whatever else is
 * z-scored.
 * @param intensities of each channel over labelled voxels
 */
export function normalisationsFor(
  channels: readonly string[],
  intensities: readonly Intensities[],
): readonly Normalisation[] {
  return channels.map((channel, index) => {
    if (!isCt(channel)) return zScore;
    const { percentile005: low, percentile995: high, mean, deviation } = intensities[index];
    return { kind: 'data_set', low, high, mean, deviation };
  });
}

/** Normalises a channel in place; false, and nothing done, where a value is not a number. */
export function normalise(values: Float32Array, normalisation: Normalisation): boolean {
  const own = meanAndDeviation(values);
  if (!Number.isFinite(own.deviation)) return false;
  const [low, high] =
    normalisation.kind === 'z_score' ? [-Infinity, Infinity] : [normalisation.low, normalisation.high];
  const { mean, deviation } = normalisation.kind === 'z_score' ? own : normalisation;
  const scale = 1 / Math.max(deviation, smallestDeviation);
  for (let i = 0; i < values.length; i++) values[i] = (Math.min(high, Math.max(low, values[i])) - mean) * scale;
  return true;
}
