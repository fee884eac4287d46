import {
  addInPlace,
  divide,
  multiply,
  narrow,
  noGradient,
  pad,
  scope,
  type Tensor,
  tensor,
  to,
  zeros,
} from '@ronasmis/libtorch';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import { defaultRecipe } from '../recipe/recipe.ts';
import { paddedTo, type Tiling, tileOffsets } from './tiles.ts';

/** What a volume is passed in, and into how many classes. */
export interface TiledPass {
  readonly tile: Triple;
  readonly classes: number;
  readonly tiling?: Tiling;
}

/**
 * Logits of volumes, put together from those of overlapping tiles by {@link tileWeights}, as nnU-Net's sliding window does
 * (`_internal_predict_sliding_window_return_logits`), though in float32 where that adds up in float16. A volume that is smaller than the tile is
 * padded with zeros on both sides, and its logits are cut. The network's norms see a tile where they would see the volume, so the result is near
 * that of one pass, and not the same.
 *
 * @param image [batch, channel, depth, height, width]
 * @param logitsOf of a tile [batch, channel, ...tile], logits [batch, class, ...tile]
 * @returns float32 [batch, class, depth, height, width] on the processor, whatever the device
 */
export function logitsInTiles(
  image: Tensor,
  { tile, classes, tiling = defaultRecipe.inference }: TiledPass,
  logitsOf: (tile: Tensor) => Tensor,
): Tensor {
  return noGradient(() =>
    scope(() => {
      const sum = sumOfTiles(image, { tile, classes, tiling });
      for (const offset of sum.offsets) scope(() => sum.add(offset, logitsOf(sum.part(offset))));
      return sum.mean();
    }),
  );
}

/** As {@link logitsInTiles}, of logits that come from elsewhere and are waited for. */
export async function awaitedLogitsInTiles(
  image: Tensor,
  how: TiledPass,
  logitsOf: (tile: Tensor) => Promise<Tensor>,
): Promise<Tensor> {
  const sum = sumOfTiles(image, how);
  for (const offset of sum.offsets) {
    const logits = await logitsOf(sum.part(offset));
    scope(() => sum.add(offset, logits));
  }
  return sum.mean();
}

/** Logits of a volume while they are put together from those of its tiles. */
interface SumOfTiles {
  /** The first voxel of each tile, in the padded volume. */
  readonly offsets: readonly Triple[];
  /** The tile of the image there. */
  readonly part: (offset: Triple) => Tensor;
  /** Adds a tile's logits, by their weights. */
  readonly add: (offset: Triple, logits: Tensor) => void;
  /** Of the logits of all tiles, by their weights, without what was padded. */
  readonly mean: () => Tensor;
}

function sumOfTiles(image: Tensor, { tile, classes, tiling = defaultRecipe.inference }: TiledPass): SumOfTiles {
  const [batch, , depth, height, width] = image.shape;
  const size: Triple = [depth, height, width];
  const volume = paddedTo(size, tile);
  const padded = centred(image, size, volume);
  const importance = tensor(tileWeights(tile, tiling), [1, 1, ...tile]);
  const sums = zeros([batch, classes, ...volume], { dataType: 'float32' });
  const weights = zeros([1, 1, ...volume], { dataType: 'float32' });
  return {
    offsets: tileOffsets(volume, tile, tiling),
    part: (offset) =>
      to(boxOf(padded, offset, tile), { dataType: image.dataType, copy: true, memoryFormat: 'channels_last_3d' }),
    add: (offset, logits) => {
      addInPlace(boxOf(sums, offset, tile), multiply(to(logits, { dataType: 'float32', device: 'cpu' }), importance));
      addInPlace(boxOf(weights, offset, tile), importance);
    },
    mean: () => {
      const inside = before(size, volume);
      return divide(boxOf(sums, inside, size), boxOf(weights, inside, size));
    },
  };
}

/** An image in the middle of one of this size that is 0 elsewhere; of an odd number of voxels, one more is behind it (nnU-Net's `pad_nd_image`). */
function centred(image: Tensor, size: Triple, padded: Triple): Tensor {
  if (String(size) === String(padded)) return image;
  const first = before(size, padded);
  const along = (axis: 0 | 1 | 2): readonly number[] => [first[axis], padded[axis] - size[axis] - first[axis]];
  return pad(image, [...along(2), ...along(1), ...along(0)]);
}

/** Voxels that are before a volume in the padded one. */
function before(size: Triple, padded: Triple): Triple {
  const along = (axis: 0 | 1 | 2): number => Math.floor((padded[axis] - size[axis]) / 2);
  return [along(0), along(1), along(2)];
}

/** A view into volumes `[batch, channel, depth, height, width]`. */
export function boxOf(volume: Tensor, offset: Triple, size: Triple): Tensor {
  return offset.reduce((part, start, axis) => narrow(part, axis + 2, start, size[axis]), volume);
}

/**
 * What the voxels of a tile count, flat `[depth, height, width]`: all the same, or by a Gaussian of an eighth of the tile (the recipe's). For windows
 * of the patch it is exactly nnU-Net's (`compute_gaussian`): around the voxel at half of the size, 10 there, in float16, and none is 0.
 */
export function tileWeights(
  tile: Triple,
  {
    window,
    tile_weights,
    tile_standard_deviation,
  }: Pick<Tiling, 'window' | 'tile_weights' | 'tile_standard_deviation'> = defaultRecipe.inference,
): Float32Array {
  const weights = new Float32Array(voxelsOf(tile)).fill(1);
  if (tile_weights === 'even') return weights;
  const [depths, rows, columns] = tile.map((size) => {
    const middle = window === 'patch' ? Math.floor(size / 2) : (size - 1) / 2;
    return Array.from({ length: size }, (_, at) =>
      Math.exp(-0.5 * ((at - middle) / (size * tile_standard_deviation)) ** 2),
    );
  });
  const largest = window === 'patch' ? 10 : 1;
  let voxel = 0;
  for (const z of depths) for (const y of rows) for (const x of columns) weights[voxel++] = largest * z * y * x;
  return window === 'patch' ? inHalfPrecision(weights) : weights;
}

/** The nearest numbers that float16 has, and its smallest of these in place of 0. */
function inHalfPrecision(values: Float32Array): Float32Array {
  const rounded = scope(() =>
    to(to(tensor(values, [values.length]), { dataType: 'float16' }), { dataType: 'float32' }).toArray(),
  );
  if (!(rounded instanceof Float32Array)) throw new TypeError('Weights are float32.');
  const smallest = rounded.reduce((least, value) => (value > 0 ? Math.min(least, value) : least), Infinity);
  return rounded.map((value) => (value === 0 ? smallest : value));
}
