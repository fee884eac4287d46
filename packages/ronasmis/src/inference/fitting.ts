import { freeMemoryBytes } from '@ronasmis/libtorch';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import { type Pass, passBytes } from '../network/memory.ts';
import type { Network } from '../network/network.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { bytesBesidePass } from './beside-pass.ts';
import { type Looks, tileFor } from './tiles.ts';

/** Share of what is free that a prediction takes where no budget is given. */
const shareOfFree = 0.8;
/** What Node, libtorch and the scans that are read meanwhile take beside a pass over a small one, measured. */
const processBytes = 400 * 2 ** 20;
/** What small tensors and work space add to a pass at most, measured. */
const passFactor = 1.1;

/** Bytes that a prediction may take for a pass: of a budget for the process, or of what is free now. */
export function bytesForPass(memoryBytes: number | undefined, device: Pass['device']): number {
  if (memoryBytes === undefined) return shareOfFree * freeMemoryBytes(device);
  return device === 'cuda' ? memoryBytes : memoryBytes - processBytes;
}

type How = Pick<Pass, 'device' | 'dataType'> &
  Looks & {
    readonly inference?: Recipe['inference'];
  };

/**
 * The tile that a volume has to be passed in for a pass to take no more than `bytes`: the window, or else the whole volume, where that fits, and
 * undefined where no tile does.
 */
export function fittingTile(network: Network, volume: Triple, bytes: number, how: How): Triple | undefined {
  return tileFor(how.window ?? volume, (tile) => neededBytes(network, volume, tile, how) <= bytes, how.inference);
}

/** MiB of `--memory` that suffice for a volume in one pass, or for its windows, and in the smallest tiles. */
export function sufficientMemory(
  network: Network,
  volume: Triple,
  how: How,
): { readonly whole: number; readonly tiles: number } {
  const found: number[] = [];
  tileFor(
    how.window ?? volume,
    (tile) => {
      found.push(neededBytes(network, volume, tile, how));
      return false;
    },
    how.inference,
  );
  const budget = (bytes: number): number => Math.ceil((bytes + (how.device === 'cuda' ? 0 : processBytes)) / 2 ** 20);
  return { whole: budget(found[0]), tiles: budget(Math.min(...found)) };
}

/** Bytes that a pass over a tile of a volume takes, and what is made of the whole volume meanwhile. */
function neededBytes(network: Network, volume: Triple, tile: Triple, how: How): number {
  const pass = passFactor * passBytes(network, { ...how, batch: 1, size: tile, training: false });
  // As it was prepared and as the network takes it.
  const image = 8 * network.inputChannels * voxelsOf(volume);
  return pass + image + bytesBesidePass(network, volume, { ...how, tile: tile === volume ? undefined : tile });
}
