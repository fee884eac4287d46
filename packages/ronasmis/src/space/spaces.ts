import type { NetworkDimensions } from '../network/dimensions.ts';
import { macroSpace, type SearchSpace } from './macro.ts';

/** What is searched: the paper's macro space. */
export const spaceNames = ['macro'] as const;
export type SpaceName = (typeof spaceNames)[number];

type MakeSpace = typeof macroSpace;

const spaces: Readonly<Record<SpaceName, MakeSpace>> = { macro: macroSpace };

/**
 * The space of this name for volumes of `volume` voxels (depth, height, width; the data set's median) and a network of these
 * dimensions. Throws a UserError where the volumes are too small.
 */
export function createSpace(
  name: SpaceName,
  volume: readonly [number, number, number],
  dimensions: NetworkDimensions,
): SearchSpace {
  return spaces[name](volume, dimensions);
}
