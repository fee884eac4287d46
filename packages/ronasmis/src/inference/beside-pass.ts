import type { Device } from '@ronasmis/libtorch';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import type { Network } from '../network/network.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import { isLarger, paddedTo } from './tiles.ts';

/** Bytes that are alive during a pass over a volume, or a tile of it, beside those of the pass and the image itself. */
export function bytesBesidePass(
  { inputChannels, classes }: Pick<Network, 'inputChannels' | 'classes'>,
  volume: Triple,
  {
    tile,
    region,
    device,
    inference: { mirroring } = defaultRecipe.inference,
  }: {
    /** What the volume is passed in; in one pass where it is undefined. */
    readonly tile: Triple | undefined;
    /** As of {@link Looks}. */
    readonly region?: Triple | undefined;
    /** That the pass is on: what is put together of tiles is the processor's. */
    readonly device: Device;
    readonly inference?: Recipe['inference'];
  },
): number {
  const padded = paddedTo(volume, tile ?? volume);
  const copy = String(padded) === String(volume) ? 0 : 4 * inputChannels * voxelsOf(padded);
  // Sums of the logits and of their weights, and the quotient, which are the processor's.
  const sums = tile === undefined || device === 'cuda' ? 0 : 4 * (2 * classes + 1) * voxelsOf(padded);
  // The mirrored image, the sum of the logits of its mirrorings, and those that are mirrored back.
  const mirrored = mirroring ? 4 * (inputChannels + 2 * classes) * voxelsOf(tile ?? volume) : 0;
  // What the first look said, the mean of both, and the part of the image: at most as large as the volume.
  const again = region && isLarger(volume, region) ? 4 * (inputChannels + 2 * classes) * voxelsOf(volume) : 0;
  return copy + sums + mirrored + again;
}
