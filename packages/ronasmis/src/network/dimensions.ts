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
/** Channels of the full resolution, and of the widest level in terms of it. */
const baseWidth = 16;
const widening = 8;

/** Five levels (paper, Fig. 2); the width doubles from level to level, up to eight times `width`. */
export function networkDimensions(inputChannels: number, classes: number, width = baseWidth): NetworkDimensions {
  const channels = Array.from({ length: levels }, (_, level) => width * Math.min(2 ** level, widening));
  return { inputChannels, classes, channels };
}
