import { channelRanges } from '../base/statistics.ts';
import type { Volume } from '../formats/volume.ts';
import { type CaseProblem, problem } from './problem.ts';

/** Voxels of an image that are no numbers, and channels in which all are the same. */
export function checkVoxels(image: string, volume: Volume): readonly CaseProblem[] {
  return channelRanges(volume.data, volume.channels).flatMap(({ allFinite, min, max }, channel) => {
    if (!allFinite) {
      const what = `channel ${channel} holds voxels that are not numbers (NaN or infinite)`;
      return [problem('error', image, `${what}. Replace them, by 0 for example.`)];
    }
    if (min !== max) return [];
    const what = `channel ${channel} is ${min} everywhere`;
    const several = 'have a channel with one value everywhere';
    const kind = { several, fix: 'Are these scans empty?', what, distance: 0 };
    return [problem('warning', image, `${what}. Is this scan empty?`, kind)];
  });
}
