import type { Architecture } from '../architecture/architecture.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';

/** How a volume is passed in tiles: in windows of the training patch, or where memory does not suffice for one pass. */
export type Tiling = Pick<
  Recipe['inference'],
  'window' | 'smallest_tile' | 'tile_step' | 'tile_standard_deviation' | 'tile_weights'
>;

/** What a network looks at of volumes, `[depth, height, width]`; neither where a recipe has one pass over each as a whole. */
export interface Looks {
  /** The window that slides over volumes. */
  readonly window?: Triple | undefined;
  /** What the region is no smaller than that is looked at again. */
  readonly region?: Triple | undefined;
}

/** How a recipe has networks look at volumes: by a child's training patch. */
export function looksOf(
  { window }: Pick<Tiling, 'window'>,
  { patch: { depth, height, width } }: Pick<Architecture, 'patch'>,
): Looks {
  const patch: Triple = [depth, height, width];
  return { window: window === 'patch' ? patch : undefined, region: window === 'region' ? patch : undefined };
}

/**
 * The largest tile of a volume (or of a window) that fits, by making the longest axis shorter again and again; the volume's own size where that does.
 * No tile is smaller than 16 voxels (the recipe's) along an axis that is not: five levels would have nothing left to pool.
 * @returns undefined where not even the smallest fits
 */
export function tileFor(
  volume: Triple,
  fits: (tile: Triple) => boolean,
  { smallest_tile }: Pick<Tiling, 'smallest_tile'> = defaultRecipe.inference,
): Triple | undefined {
  let tile = volume;
  while (!fits(tile)) {
    const longest = tile.indexOf(Math.max(...tile));
    const shorter = smallest_tile * (Math.ceil(tile[longest] / smallest_tile) - 1);
    if (shorter < smallest_tile) return undefined;
    const cut = (axis: 0 | 1 | 2): number => (axis === longest ? shorter : tile[axis]);
    tile = [cut(0), cut(1), cut(2)];
  }
  return tile;
}

/** A size that is nowhere larger than another. */
export function within(size: Triple, largest: Triple): Triple {
  const along = (axis: 0 | 1 | 2): number => Math.min(size[axis], largest[axis]);
  return [along(0), along(1), along(2)];
}

/** Whether a volume is larger than another along some axis. */
export const isLarger = (volume: Triple, than: Triple): boolean => volume.some((size, axis) => size > than[axis]);

/** A volume's size once it is padded to that of a tile, along the axes where it is smaller. */
export function paddedTo(volume: Triple, tile: Triple): Triple {
  const along = (axis: 0 | 1 | 2): number => Math.max(volume[axis], tile[axis]);
  return [along(0), along(1), along(2)];
}

/**
 * The first voxels of the tiles that cover a volume, neighbours overlapping by half or more (the recipe's `tile_step`). Windows of the patch stand
 * exactly where nnU-Net's do (`compute_steps_for_sliding_window`), which rounds halves to even numbers.
 * @param volume nowhere smaller than the tile
 */
export function tileOffsets(
  volume: Triple,
  tile: Triple,
  { tile_step, window }: Pick<Tiling, 'tile_step' | 'window'> = defaultRecipe.inference,
): readonly Triple[] {
  const along = (axis: 0 | 1 | 2): readonly number[] => {
    const room = volume[axis] - tile[axis];
    const gaps = Math.ceil(room / (tile[axis] * tile_step));
    if (gaps === 0) return [0];
    const at = (i: number): number =>
      window === 'patch' ? roundToEven((room / gaps) * i) : Math.round((i * room) / gaps);
    return Array.from({ length: gaps + 1 }, (_, i) => at(i));
  };
  const [depths, rows, columns] = [along(0), along(1), along(2)];
  return depths.flatMap((z) => rows.flatMap((y) => columns.map((x): Triple => [z, y, x])));
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** How many voxels pass through a network for a volume, those in several windows, looks and mirrorings as often as they do. */
export function voxelsPassed(
  volume: Triple,
  { window, region }: Looks,
  inference: Pick<Recipe['inference'], 'tile_step' | 'window' | 'mirroring'>,
): number {
  const first = window
    ? voxelsOf(window) * tileOffsets(paddedTo(volume, window), window, inference).length
    : voxelsOf(volume);
  const again = region && isLarger(volume, region) ? voxelsOf(within(volume, region)) : 0;
  return (inference.mirroring ? 8 : 1) * (first + again);
}
