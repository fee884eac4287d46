import {
  addInPlace,
  divide,
  multiply,
  narrow,
  noGradient,
  scope,
  type Tensor,
  tensor,
  to,
  zeros,
} from '@ronasmis/libtorch';
import type { Triple } from '../base/geometry.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';

/** How a volume is passed in tiles. */
export type Tiling = Pick<Recipe['inference'], 'smallest_tile' | 'tile_step' | 'tile_standard_deviation'>;

/**
 * The largest tile of a volume that fits, by making the longest axis shorter again and again; the volume's own size where that does.
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

/** The first voxels of the tiles that cover a volume, neighbours overlapping by half or more, as nnU-Net's sliding window places them. */
export function tileOffsets(
  volume: Triple,
  tile: Triple,
  { tile_step }: Pick<Tiling, 'tile_step'> = defaultRecipe.inference,
): readonly Triple[] {
  const along = (axis: 0 | 1 | 2): readonly number[] => {
    const room = volume[axis] - tile[axis];
    const gaps = Math.ceil(room / (tile[axis] * tile_step));
    return Array.from({ length: gaps + 1 }, (_, i) => (gaps === 0 ? 0 : Math.round((i * room) / gaps)));
  };
  const [depths, rows, columns] = [along(0), along(1), along(2)];
  return depths.flatMap((z) => rows.flatMap((y) => columns.map((x): Triple => [z, y, x])));
}

/** What a volume is passed in, and into how many classes. */
export interface TiledPass {
  readonly tile: Triple;
  readonly classes: number;
  readonly tiling?: Tiling;
}

/**
 * Logits of a volume, put together from those of overlapping tiles: each counts most in its middle, by a Gaussian of an eighth of the tile
 * (the recipe's; nnU-Net, Isensee et al. 2021). The network's norms see a tile where they would see the volume, so the result is near that of one pass, and
 * not the same.
 *
 * @param image [1, channel, depth, height, width]
 * @param logitsOf of a tile [1, channel, ...tile], logits [1, class, ...tile]
 * @returns float32 [1, class, depth, height, width] on the processor, whatever the device
 */
export function logitsInTiles(
  image: Tensor,
  { tile, classes, tiling = defaultRecipe.inference }: TiledPass,
  logitsOf: (tile: Tensor) => Tensor,
): Tensor {
  const [, , depth, height, width] = image.shape;
  const volume: Triple = [depth, height, width];
  return noGradient(() =>
    scope(() => {
      const importance = gaussian(tile, tiling);
      const sums = zeros([1, classes, ...volume], { dataType: 'float32' });
      const weights = zeros([1, 1, ...volume], { dataType: 'float32' });
      for (const offset of tileOffsets(volume, tile, tiling)) {
        scope(() => {
          const part = to(boxOf(image, offset, tile), {
            dataType: image.dataType,
            copy: true,
            memoryFormat: 'channels_last_3d',
          });
          const logits = to(logitsOf(part), { dataType: 'float32', device: 'cpu' });
          addInPlace(boxOf(sums, offset, tile), multiply(logits, importance));
          addInPlace(boxOf(weights, offset, tile), importance);
        });
      }
      return divide(sums, weights);
    }),
  );
}

function boxOf(volume: Tensor, offset: Triple, size: Triple): Tensor {
  return offset.reduce((part, start, axis) => narrow(part, axis + 2, start, size[axis]), volume);
}

/** What the voxels of a tile count [1, 1, ...tile]: 1 in its middle. */
function gaussian(tile: Triple, { tile_standard_deviation }: Pick<Tiling, 'tile_standard_deviation'>): Tensor {
  const [depths, rows, columns] = tile.map((size) =>
    Array.from({ length: size }, (_, at) =>
      Math.exp(-0.5 * ((at - (size - 1) / 2) / (size * tile_standard_deviation)) ** 2),
    ),
  );
  const values = depths.flatMap((z) => rows.flatMap((y) => columns.map((x) => z * y * x)));
  return tensor(Float32Array.from(values), [1, 1, ...tile]);
}
