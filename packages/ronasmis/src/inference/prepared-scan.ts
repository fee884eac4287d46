import { UserError } from '../base/errors.ts';
import type { Triple } from '../base/geometry.ts';
import { zScore } from '../data/normalisation.ts';
import { thickAxis } from '../data/spacing.ts';
import { type Turn, turnTo, turnVolume, unturned } from '../formats/orientation.ts';
import type { Volume } from '../formats/volume.ts';
import { type PreparedImage, prepareImage } from '../preparation/prepared-image.ts';
import type { SegmentingRecord } from '../run/run-record.ts';
import type { SegmentationPlan } from './classes.ts';

/** A scan as a run's network takes it, and the way back. */
export interface PreparedScan extends PreparedImage {
  /** From the scan's own voxel order to that of the image. */
  readonly turn: Turn;
  /** How what the network says of the image becomes classes of the crop's own voxels, but for the tiles. */
  readonly plan: Required<Pick<SegmentationPlan, 'size' | 'inference'>> & Pick<SegmentationPlan, 'thickAxis'>;
}

/**
 * Brings a scan to the orientation, the intensities and the spacing of the training data.
 * @throws UserError where the scan has other channels than the network, its spacing can't be that of a scan, or a voxel is no number
 */
export function prepareScan(
  scan: Volume,
  run: Pick<SegmentingRecord, 'channel_files' | 'network' | 'normalisation' | 'orientation' | 'recipe' | 'spacing'>,
): PreparedScan {
  const turn = run.orientation === undefined ? unturned : turnTo(scan, run.orientation);
  const volume = turnVolume(scan, turn);
  const { channels } = volume;
  const expected = run.network.input_channels;
  if (channels !== expected) {
    const asFiles = run.channel_files ? ', in one file or in files called CASE_0000, CASE_0001 and so on' : '';
    throw new UserError(
      `${volume.file} has ${channels} channels; the network was trained on ${expected}. Give a scan with the channels of the training data${asFiles}.`,
    );
  }
  const { normalisation = Array.from({ length: channels }, () => zScore), spacing } = run;
  const prepared = prepareImage(volume, normalisation, spacing);
  const size: Triple = prepared.crop.shape;
  const { inference } = run.recipe;
  return { ...prepared, turn, plan: { size, inference, thickAxis: thickAxis(prepared.spacing, volume.spacing) } };
}
