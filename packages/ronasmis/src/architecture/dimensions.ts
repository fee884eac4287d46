import type { Triple } from '../base/geometry.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import type { ChildArchitecture } from './architecture.ts';

/** What fixes the shapes of the shared weights: the same for every child of a run. */
export interface NetworkDimensions {
  /** Channels of the scan. */
  readonly inputChannels: number;
  /** Classes, the background included. */
  readonly classes: number;
  /** Channels of each level, the full resolution first. */
  readonly channels: readonly number[];
  /** Levels, the full resolution first, whose kernels are 1x3x3 where others are 3x3x3: they do not reach across thick slices. */
  readonly flatLevels: number;
}

export const levels = 5;
/** Five levels (paper, Fig. 2); the width doubles from level to level, up to `widening` times `width`. */
export function networkDimensions(
  inputChannels: number,
  classes: number,
  flatLevels = 0,
  { width = defaultRecipe.network.widths[0], widening = defaultRecipe.network.widening } = {},
): NetworkDimensions {
  const channels = Array.from({ length: levels }, (_, level) => width * Math.min(2 ** level, widening));
  return { inputChannels, classes, channels, flatLevels };
}

/** The dimensions of a child: those of its run, but for what it says itself. */
export function childDimensions<Dimensions extends Pick<NetworkDimensions, 'channels' | 'flatLevels'>>(
  child: ChildArchitecture,
  dimensions: Dimensions,
): Dimensions {
  if ('cell' in child) return dimensions;
  const { width = dimensions.channels[0], flat_levels: flatLevels = dimensions.flatLevels } = child;
  return {
    ...dimensions,
    flatLevels,
    channels: dimensions.channels.map((wide) => (wide / dimensions.channels[0]) * width),
  };
}

/**
 * Levels at which slices of this spacing (depth, height and width in millimetres) are thick, the plane being halved from level to level, as
 * nnU-Net chooses its kernels (Isensee et al. 2021, supplement 2; `get_pool_and_conv_props`). Patterns that a 3x3x3 kernel would find across such
 * slices hold for few patients: docs/search.md has what it costs.
 */
export function flatLevelsFor(
  [depth, height, width]: Triple,
  { thick_slice }: Pick<Recipe['network'], 'thick_slice'> = defaultRecipe.network,
): number {
  if (thick_slice === null) return 0;
  const ratio = depth / Math.min(height, width);
  const isThick = (level: number): boolean => ratio / 2 ** level >= thick_slice;
  return Array.from({ length: levels }, (_, level) => level).filter(isThick).length;
}

/** What networks do about thick slices. */
export interface ThickSlices {
  /** Levels, the full resolution first, whose kernels are 1x3x3. */
  readonly flatLevels: number;
  /** The base child does not pool the depth before the levels up to this one. */
  readonly unpooledLevels: number;
}

/** By the rule of {@link flatLevelsFor}: where kernels do not reach across slices, these are not pooled either. */
export function thickSlicesFor(spacing: Triple, network: Pick<Recipe['network'], 'thick_slice'>): ThickSlices {
  const flatLevels = flatLevelsFor(spacing, network);
  return { flatLevels, unpooledLevels: flatLevels };
}

/** Depth of a kernel of `size` voxels a side at a level. */
export function kernelDepth(
  { flatLevels }: Pick<NetworkDimensions, 'flatLevels'>,
  level: number,
  size: number,
): number {
  return level < flatLevels ? 1 : size;
}
