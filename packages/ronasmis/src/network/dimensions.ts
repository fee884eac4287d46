/** What fixes the shapes of the shared weights: the same for every child of a run. */
export interface NetworkDimensions {
  /** Channels of the scan. */
  readonly inputChannels: number;
  /** Classes, the background included. */
  readonly classes: number;
  /** Channels of each level, the full resolution first. */
  readonly channels: readonly number[];
}

export const levels = 5;
/** Channels of the full resolution, and the cap on the doubling from level to level. */
const baseWidth = 16;
const widestLevel = 128;

/** Five levels (paper, Fig. 2); the width doubles from level to level. */
export function networkDimensions(inputChannels: number, classes: number): NetworkDimensions {
  const channels = Array.from({ length: levels }, (_, level) => Math.min(baseWidth * 2 ** level, widestLevel));
  return { inputChannels, classes, channels };
}
