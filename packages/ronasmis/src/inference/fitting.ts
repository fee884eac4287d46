import { freeMemoryBytes } from '@ronasmis/libtorch';
import { voxelsOf } from '../data/spacing.ts';
import { type Pass, passBytes } from '../network/memory.ts';
import { dimensionsOf } from '../run/records.ts';
import type { Model } from './model.ts';
import { type Size, tileFor } from './tiles.ts';

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

/**
 * The tile that a volume has to be passed in for a pass to take no more than `bytes`: the whole volume where that fits, and undefined
 * where no tile does.
 */
export function fittingTile(
  { architecture, run }: Pick<Model, 'architecture' | 'run'>,
  volume: Size,
  bytes: number,
  how: Pick<Pass, 'device' | 'dataType'>,
): Size | undefined {
  const dimensions = dimensionsOf(run);
  const { inputChannels, classes } = dimensions;
  const voxels = voxelsOf(volume);
  return tileFor(volume, (tile) => {
    const pass = passFactor * passBytes(architecture, dimensions, { ...how, batch: 1, size: tile, training: false });
    // The image as it was prepared and as the network takes it; sums of the logits and of their weights, and the quotient.
    const image = 8 * inputChannels * voxels;
    const sums = tile === volume || how.device === 'cuda' ? 0 : 4 * (2 * classes + 1) * voxels;
    return pass + image + sums <= bytes;
  });
}
