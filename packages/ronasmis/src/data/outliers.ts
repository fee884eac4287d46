import { formatFigure } from '../base/figures.ts';
import { voxelsOf } from '../base/geometry.ts';
import { createRandom } from '../base/random.ts';
import { type ChannelRange, channelRanges, quantile } from '../base/statistics.ts';
import type { Volume } from '../formats/volume.ts';
import { type CaseProblem, problem } from './problem.ts';

/** What was changed in a channel of a scan that holds impossible intensities. */
export interface Clip {
  readonly channel: number;
  /** What was less, or more, became this. */
  readonly low: number;
  readonly high: number;
  /** The farthest of the values that were there. */
  readonly farthest: number;
  /** False where the channel stays as it is, for the value may be right; but z-scored, it leaves little of all others. */
  readonly isClipped: boolean;
}

/** So many voxels that are not 0 say where a channel's intensities lie. */
const SAMPLED_VOXELS = 10_000;
/** One in a thousand of them at either end says nothing, ten at least. */
const IGNORED_SHARE = 0.001;
const IGNORED_VOXELS = 10;
/** Fewer say too little. */
const FEWEST_VOXELS = 10 * IGNORED_VOXELS;
/**
 * An intensity is impossible where it is so many widths away from where nearly all others lie. In CT, metal of 32767, or padding of -32768 that is so
 * little that it is not among the others, comes to 14; a stuck pixel of 65535 in an MRI of 0 to 300 to 218; the bladder of a PET is below 100.
 */
const MOST_WIDTHS = 100;
/** The largest uint16 is what a detector says that has failed: so many suffice. */
const SATURATED = 65_535;
const MOST_WIDTHS_OF_SATURATED = 30;
/** Z-scored, the middle 90 % of a sound channel spans 2 to 3.5 deviations; below this, outliers rule it. */
const FEWEST_DEVIATIONS = 0.3;
/** Up to here they are probabilities, of which few may be large. */
const LARGEST_PROBABILITY = 1;
/** No intensity below is impossible: uptakes and probabilities may be anything against their background. */
const SMALLEST = 1000;
/** No scanner has such intensities: however many there are, they say nothing of the others. */
const BEYOND_ALL = 1e15;

/**
 * Clips the channels that hold an impossible intensity to where all but the outermost thousandth of their non-zero voxels lie: one voxel of 3e38 would
 * leave nothing else of a channel that is z-scored. Other channels stay as they are, to the bit, and so do those with a voxel that is no number.
 * @returns the same volume where nothing was clipped
 */
export function clipOutliers(volume: Volume): { readonly volume: Volume; readonly clips: readonly Clip[] } {
  const size = voxelsOf(volume.shape);
  const clips = channelRanges(volume.data, volume.channels).flatMap((range, channel): Clip[] => {
    const { min, max, allFinite } = range;
    if (!allFinite || Math.max(max, -min) <= LARGEST_PROBABILITY) return [];
    const values = volume.data.subarray(channel * size, (channel + 1) * size);
    const usual = usualRange(values, range);
    if (usual === undefined) return [];
    const { low, high, middle } = usual;
    const farthest = max - high > low - min ? max : min;
    const widths = Math.max(max - high, low - min) / Math.max(high - low, Math.abs(low), Math.abs(high));
    const most = farthest === SATURATED ? MOST_WIDTHS_OF_SATURATED : MOST_WIDTHS;
    if (widths > most && Math.abs(farthest) > SMALLEST) return [{ channel, low, high, farthest, isClipped: true }];
    if (widths < 1 || middle > FEWEST_DEVIATIONS * deviationOfNonZero(values)) return [];
    return [{ channel, low, high, farthest, isClipped: false }];
  });
  if (!clips.some(({ isClipped }) => isClipped)) return { volume, clips };
  const data = volume.data.slice();
  for (const { channel, low, high, isClipped } of clips) {
    if (!isClipped) continue;
    // Zeros are what a scan is cropped by, wherever the others lie.
    for (let i = channel * size; i < (channel + 1) * size; i++)
      if (data[i] !== 0) data[i] = Math.min(high, Math.max(low, data[i]));
  }
  return { volume: { ...volume, data }, clips };
}

/** Where nearly all of the non-zero values lie, without the smallest and the largest, of which there may be many; undefined of few. */
function usualRange(
  values: Volume['data'],
  range: ChannelRange,
): { readonly low: number; readonly high: number; readonly middle: number } | undefined {
  const sample = drawSample(values, range);
  if (sample.length < FEWEST_VOXELS) return undefined;
  const ignored = Math.max(IGNORED_VOXELS, Math.ceil(IGNORED_SHARE * sample.length));
  return {
    low: sample[ignored],
    high: sample[sample.length - 1 - ignored],
    middle: quantile(sample, 0.95) - quantile(sample, 0.05),
  };
}

/**
 * Values between the smallest and the largest that are not 0, sorted: all, or so many as suffice, one out of each of equal parts of them. Which one is
 * drawn, always the same: a step over the voxels can meet one face of the grid alone.
 */
function drawSample(values: Volume['data'], { min, max }: ChannelRange): Float64Array {
  const isBetween = (value: number): boolean =>
    value !== 0 && value > min && value < max && Math.abs(value) < BEYOND_ALL;
  let count = 0;
  for (let i = 0; i < values.length; i++) if (isBetween(Math.fround(values[i]))) count++; // as the range is
  const random = createRandom(0);
  const sample = new Float64Array(Math.min(count, SAMPLED_VOXELS));
  const part = count / sample.length;
  let [seen, drawn, next] = [0, 0, Math.floor(part * random.uniform())];
  for (let i = 0; drawn < sample.length; i++) {
    const value = Math.fround(values[i]);
    if (!isBetween(value) || seen++ < next) continue;
    sample[drawn++] = value;
    next = Math.floor(part * (drawn + random.uniform()));
  }
  return sample.sort();
}

/** Of the values that are not 0, which a scan is cropped by. */
function deviationOfNonZero(values: Volume['data']): number {
  let [count, sum, squares] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === 0) continue;
    count++;
    sum += value;
    squares += value * value;
  }
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

/**
 * A warning for each channel of a scan that was clipped, or that outliers rule.
 * @param isZScored whether a channel is; outliers harm no other
 */
export function clipWarnings(
  file: string,
  clips: readonly Clip[],
  isZScored: (channel: number) => boolean,
): readonly CaseProblem[] {
  const told = clips.filter(({ channel, isClipped }) => isClipped || isZScored(channel));
  return told.map(({ channel, low, high, farthest, isClipped }) => {
    const range = `${formatFigure(low)} to ${formatFigure(high)}`;
    // As whoever looks for it will find it.
    const value = Number.isInteger(farthest) && Math.abs(farthest) < 1e6 ? farthest : formatFigure(farthest);
    const found = `${value} in channel ${channel}`;
    const what = `it holds an intensity of ${found}, where nearly all lie within ${range}`;
    const outcome = isClipped
      ? 'the channel is clipped to that range. Check where it comes from.'
      : 'z-scored, such voxels leave little of all others. Correct them if they are wrong.';
    return problem('warning', file, `${what}: ${outcome}`, {
      several: isClipped
        ? 'hold intensities that are far from all others, so that the channel is clipped to these'
        : 'hold intensities that are far from all others, of which z-scoring leaves little',
      fix: isClipped ? 'Check where they come from.' : 'Correct them if they are wrong.',
      what: `${found}, of ${range}`,
      distance: Math.abs(farthest) / Math.max(Math.abs(low), Math.abs(high)),
    });
  });
}
