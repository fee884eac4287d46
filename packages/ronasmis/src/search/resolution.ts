import type { Architecture } from '../architecture/architecture.ts';
import type { NetworkDimensions } from '../architecture/dimensions.ts';
import type { Downsampling } from '../preparation/downsampling.ts';
import type { Recipe } from '../recipe/recipe.ts';

/**
 * How a search downsamples volumes in its first part, where a step takes a fraction of the time and teaches about as much: within the plane,
 * and along the depth where slices are not thick. undefined where the base child's patches are too small for it.
 */
export function coarseDownsampling(
  { depth, height, width }: Architecture['patch'],
  { flatLevels }: Pick<NetworkDimensions, 'flatLevels'>,
  { coarse_plane, coarse_depth }: Recipe['search'],
): Downsampling | undefined {
  if (Math.min(height, width) < coarse_plane) return undefined;
  return [flatLevels === 0 && depth >= coarse_depth ? 2 : 1, 2, 2];
}
