import { type Tensor, tensor, to } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { UserError } from '../base/errors.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import { toImage } from '../engine/to-device.ts';
import type { Volume } from '../formats/volume.ts';
import { closedNetwork } from '../network/closed.ts';
import { liveBytes } from '../network/live-bytes.ts';
import { removeSmallComponents } from '../preparation/components.ts';
import type { Segmentation } from '../preparation/label-values.ts';
import { dimensionsOf, type SegmentingRecord } from '../run/run-record.ts';
import { bytesBesidePass } from './beside-pass.ts';
import { classesOf } from './classes.ts';
import { awaitedMeanOfMirrorings, mirroredPasses } from './mirroring.ts';
import { type PreparedScan, prepareScan } from './prepared-scan.ts';
import { addLook, partOf, regionsFound } from './region.ts';
import { awaitedLogitsInTiles } from './sliding-window.ts';
import { isLarger, looksOf, paddedTo, tileFor, tileOffsets, within } from './tiles.ts';

/** What has to be known of a run where its network runs elsewhere, as an exported page does. */
export interface SegmentingModel {
  readonly architecture: Architecture;
  readonly run: SegmentingRecord;
  /** Class indices whose small components are removed. */
  readonly cleaned: readonly number[];
}

/**
 * Passes an image, flat `[channel, depth, height, width]` of `shape`, through the network.
 * @returns logits, flat `[class, depth, height, width]`
 */
export type RunNetwork = (image: Float32Array, shape: readonly number[]) => Promise<Float32Array>;

/** What ONNX Runtime takes for a pass at most, as a share of the features that are alive, measured. */
const passFactor = 1.1;

/** A scan that is ready to be segmented, and what that takes. */
export interface ElsewherePlan extends PreparedScan {
  /** `[depth, height, width]` of the tiles that it goes in; null in one pass. */
  readonly tile: Triple | null;
  /** Whether the tiles are smaller than the run's recipe has it, for want of memory. */
  readonly isCut: boolean;
  /** What the region that is looked at again is no smaller than; undefined where there is none. */
  readonly region: Triple | undefined;
  /** How often the network runs at most. */
  readonly passes: number;
  /** Bytes that the passes take, with what is put together of them. */
  readonly bytes: number;
}

/**
 * Prepares a scan as `predict` does, and chooses what it is passed in: whole or in windows of the patch, as the recipe has it, or in smaller tiles.
 * @param bytes that a pass may take, with what is put together of passes
 * @throws UserError as {@link prepareScan} does, and where not even the smallest tile fits
 */
export function planElsewhere({ architecture, run }: SegmentingModel, scan: Volume, bytes: number): ElsewherePlan {
  const prepared = prepareScan(scan, run);
  const { shape, channels, plan } = prepared;
  const { inference } = plan;
  if (architecture.kind === 'open_cells') throw new Error('A finished network has no cells that are yet to be found.');
  const network = closedNetwork(architecture, dimensionsOf(run));
  const { window, region } = looksOf(inference, architecture);
  const needed = (tile: Triple): number => {
    const passed = String(tile) === String(shape) ? undefined : tile;
    // The image as it was prepared and as the network takes it.
    const image = 8 * channels * voxelsOf(shape);
    return (
      passFactor * liveBytes(network, tile) +
      image +
      bytesBesidePass(network, shape, { tile: passed, region, device: 'cpu', inference })
    );
  };
  const tile = tileFor(window ?? shape, (one) => needed(one) <= bytes, inference);
  if (tile === undefined)
    throw new UserError(
      `${scan.file}: memory does not suffice for it, nor for tiles of it. Crop or resample the scan.`,
    );
  const isCut = String(tile) !== String(window ?? shape);
  const inOnePass = window === undefined && !isCut;
  const tiles = inOnePass ? 1 : tileOffsets(paddedTo(shape, tile), tile, inference).length;
  const looks = region && isLarger(shape, region) ? 2 : 1;
  const passes = looks * tiles * (inference.mirroring ? mirroredPasses : 1);
  return { ...prepared, tile: inOnePass ? null : tile, region, isCut, passes, bytes: needed(tile) };
}

/**
 * Segments a scan as `predict` does in float32 on a processor, by a network that runs elsewhere.
 * @param onPass told before each pass how many of all are done
 */
export async function segmentElsewhere(
  { run, cleaned }: SegmentingModel,
  { image, channels, shape, crop, turn, plan, tile, region, passes }: ElsewherePlan,
  runNetwork: RunNetwork,
  onPass?: (done: number, total: number) => void,
): Promise<Segmentation> {
  const { classes } = run.network;
  let done = 0;
  const once = async (volume: Tensor): Promise<Tensor> => {
    onPass?.(done, passes);
    const values = volume.toArray();
    if (!(values instanceof Float32Array)) throw new TypeError('Images are float32.');
    const [batch, , ...size] = volume.shape;
    const logits = await runNetwork(values, volume.shape);
    done += 1;
    return tensor(logits, [batch, classes, ...size]);
  };
  const { mirroring } = plan.inference;
  const pass = mirroring ? (volume: Tensor): Promise<Tensor> => awaitedMeanOfMirrorings(volume, once) : once;
  const input = toImage(image, [1, channels, ...shape], 'cpu', 'float32');
  const tiling = plan.inference;
  const look = (volume: Tensor, through: Triple | null): Promise<Tensor> =>
    through ? awaitedLogitsInTiles(volume, { tile: through, classes, tiling }, pass) : pass(volume);
  const first = await look(input, tile);
  const regions = region ? regionsFound(first, region) : [];
  const logits = regions.length > 0 ? to(first, { dataType: 'float32', copy: true }) : first;
  for (const found of regions) {
    addLook(logits, found, await look(partOf(input, found), tile && within(found.shape, tile)));
  }
  const found = classesOf(logits, input, plan).toArray();
  if (!(found instanceof Uint8Array)) throw new TypeError('Segmentations are uint8.');
  return { classes: removeSmallComponents(found, crop.shape, cleaned), crop, turn };
}
