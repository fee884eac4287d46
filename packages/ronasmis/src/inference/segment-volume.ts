import { type DataType, scope } from '@ronasmis/libtorch';
import { UserError } from '../base/errors.ts';
import type { Triple } from '../base/geometry.ts';
import { zScore } from '../data/normalisation.ts';
import type { CaseProblem } from '../data/problems.ts';
import type { ComputeDevice } from '../engine/device.ts';
import { toImage } from '../engine/to-device.ts';
import { turnTo, turnVolume, unturned } from '../formats/orientation.ts';
import type { Volume } from '../formats/volume.ts';
import type { Segmentation } from '../preparation/label-map.ts';
import { prepareImage } from '../preparation/prepared-image.ts';
import { bytesForPass, fittingTile, sufficientMemory } from './fitting.ts';
import type { Model } from './model.ts';
import { segment, segmentWithProbabilities } from './segment.ts';
import { tileOffsets } from './tiles.ts';

/** How scans are segmented. */
export interface SegmentationOptions {
  readonly device: ComputeDevice;
  readonly dataType: DataType;
  readonly probabilities: boolean;
  readonly memoryBytes: number | undefined;
}

/**
 * What a network says of a scan, in one pass or, where memory does not suffice for that, in tiles.
 * @param warn told of tiles
 * @throws UserError where the scan has other channels than the network, its spacing can't be that of a scan, or memory does not even
 * suffice for tiles
 */
export function segmentVolume(
  model: Model,
  scan: Volume,
  { device, dataType, probabilities, memoryBytes }: SegmentationOptions,
  warn: (warning: CaseProblem) => unknown,
): Segmentation & { readonly tile: Triple | null } {
  const { orientation } = model.run;
  const tiling = model.run.recipe.inference;
  const turn = orientation === undefined ? unturned : turnTo(scan, orientation);
  const volume = turnVolume(scan, turn);
  const expected = model.network.inputChannels;
  const { channels } = volume;
  if (channels !== expected) {
    const asFiles = model.run.channel_files ? ', in one file or in files called CASE_0000, CASE_0001 and so on' : '';
    throw new UserError(
      `${volume.file} has ${channels} channels; the network was trained on ${expected}. Give a scan with the channels of the training data${asFiles}.`,
    );
  }
  const { normalisation = Array.from({ length: channels }, () => zScore), spacing } = model.run;
  const { image, shape, crop } = prepareImage(volume, normalisation, spacing);
  const tile = fittingTile(model.network, shape, bytesForPass(memoryBytes, device), { device, dataType, tiling });
  if (tile === undefined) {
    const { tiles } = sufficientMemory(model.network, shape, { device, dataType, tiling });
    const what = 'memory does not suffice for it, nor for tiles of it';
    throw new UserError(`${volume.file}: ${what}. Give at least --memory ${tiles}MiB.`);
  }
  const isWhole = String(tile) === String(shape);
  if (!isWhole) {
    const { whole } = sufficientMemory(model.network, shape, { device, dataType, tiling });
    const tiles = `${tileOffsets(shape, tile, tiling).length} overlapping tiles of ${tile.join(' x ')} voxels`;
    const message = `${volume.file} does not fit into memory in one pass: it is segmented in ${tiles}, which is worse the smaller they are. One pass takes --memory ${whole}MiB.`;
    const several =
      'are segmented in overlapping tiles, for they do not fit into memory in one pass (which is worse the smaller the tiles are)';
    const fix = `One pass of each takes --memory ${whole}MiB.`;
    warn({ severity: 'warning', file: volume.file, message, kind: { several, fix, what: tiles, distance: whole } });
  }
  const [classes, shares] = scope(() => {
    const input = toImage(image, [1, channels, ...shape], device, dataType);
    const sizes = { size: crop.shape, ...(!isWhole && { tile, tiling }) };
    const given = [model.network, model.weights, input, sizes] as const;
    if (!probabilities) return [segment(...given).toArray()];
    const both = segmentWithProbabilities(...given);
    return [both.classes.toArray(), both.probabilities.toArray()];
  });
  if (!(classes instanceof Uint8Array)) throw new TypeError('Segmentations are uint8.');
  return {
    classes,
    ...(shares instanceof Float32Array && { probabilities: shares }),
    crop,
    turn,
    tile: isWhole ? null : tile,
  };
}
