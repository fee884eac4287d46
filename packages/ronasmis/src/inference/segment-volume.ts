import { type DataType, scope } from '@ronasmis/libtorch';
import { UserError } from '../base/errors.ts';
import type { Triple } from '../base/geometry.ts';
import type { CaseProblem } from '../data/problem.ts';
import type { ComputeDevice } from '../engine/device.ts';
import { toImage } from '../engine/to-device.ts';
import type { Volume } from '../formats/volume.ts';
import { removeSmallComponents } from '../preparation/components.ts';
import type { Segmentation } from '../preparation/label-values.ts';
import { bytesForPass, fittingTile, sufficientMemory } from './fitting.ts';
import type { Model } from './model.ts';
import { prepareScan } from './prepared-scan.ts';
import { segment, segmentWithProbabilities } from './segment.ts';
import { looksOf, paddedTo, tileOffsets } from './tiles.ts';

/** How scans are segmented. */
export interface SegmentationOptions {
  readonly device: ComputeDevice;
  readonly dataType: DataType;
  readonly probabilities: boolean;
  readonly memoryBytes: number | undefined;
}

/**
 * What a network says of a scan, in one pass or in windows of the patch, as the run's recipe has it, or, where memory does not suffice for that, in
 * smaller tiles.
 * @param warn told of these
 * @throws UserError where the scan has other channels than the network, its spacing can't be that of a scan, or memory does not even
 * suffice for tiles
 */
export function segmentVolume(
  model: Model,
  scan: Volume,
  { device, dataType, probabilities, memoryBytes }: SegmentationOptions,
  warn: (warning: CaseProblem) => unknown,
): Segmentation & { readonly tile: Triple | null } {
  const { image, channels, shape, crop, turn, plan } = prepareScan(scan, model.run);
  const { inference } = plan;
  const { window, region } = looksOf(inference, model.architecture);
  const how = { device, dataType, inference, window, region };
  const tile = fittingTile(model.network, shape, bytesForPass(memoryBytes, device), how);
  if (tile === undefined) {
    const { tiles } = sufficientMemory(model.network, shape, how);
    const what = 'memory does not suffice for it, nor for tiles of it';
    throw new UserError(`${scan.file}: ${what}. Give at least --memory ${tiles}MiB.`);
  }
  if (String(tile) !== String(window ?? shape)) {
    const { whole } = sufficientMemory(model.network, shape, how);
    const offsets = tileOffsets(paddedTo(shape, tile), tile, inference);
    warn(warningOfTiles(scan.file, window, `${offsets.length} overlapping tiles of ${tile.join(' x ')} voxels`, whole));
  }
  const passed = window === undefined && String(tile) === String(shape) ? null : tile;
  const [classes, shares] = scope(() => {
    const input = toImage(image, [1, channels, ...shape], device, dataType);
    const given = [model.network, model.weights, input, { ...plan, region, tile: passed ?? undefined }] as const;
    if (!probabilities) return [segment(...given).toArray()];
    const both = segmentWithProbabilities(...given);
    return [both.classes.toArray(), both.probabilities.toArray()];
  });
  if (!(classes instanceof Uint8Array)) throw new TypeError('Segmentations are uint8.');
  return {
    classes: removeSmallComponents(classes, crop.shape, model.cleaned),
    ...(shares instanceof Float32Array && { probabilities: shares }),
    crop,
    turn,
    tile: passed,
  };
}

/** What is said of a scan that is segmented in tiles that are smaller than it should be, with the MiB that would suffice. */
function warningOfTiles(file: string, window: Triple | undefined, what: string, sufficient: number): CaseProblem {
  const misfit = window
    ? ": a window of the network's patch does not fit into memory"
    : ' does not fit into memory in one pass';
  const message = `${file}${misfit}: it is segmented in ${what}, which is worse the smaller they are. One pass takes --memory ${sufficient}MiB.`;
  const whole = window ? "windows of the network's patch" : 'one pass';
  const several = `are segmented in overlapping tiles, for they do not fit into memory in ${whole} (which is worse the smaller the tiles are)`;
  const fix = `One pass of each takes --memory ${sufficient}MiB.`;
  return { severity: 'warning', file, message, kind: { several, fix, what, distance: sufficient } };
}
