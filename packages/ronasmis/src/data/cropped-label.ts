import { type Box, type Triple, voxelsOf } from '../base/geometry.ts';
import { countValues } from '../base/statistics.ts';
import { type Turn, turnVolume } from '../formats/orientation.ts';
import { readLabelMap } from '../formats/read-volume.ts';
import type { Volume } from '../formats/volume.ts';
import { IGNORED_CLASS } from './description.ts';

/** What the values of label maps are. */
export interface LabelValues {
  /** Of each class; index 0 is the background. */
  readonly labelValues: readonly number[];
  /** Of voxels that are neither learnt from nor scored. */
  readonly ignoredValue: number | undefined;
}

/** A label on its scan's own grid, as class indices. */
export interface CroppedLabel {
  /** `[depth, height, width]` of the crop, in shared memory. */
  readonly label: Uint8Array;
  /** By class index, labelled voxels outside the crop. */
  readonly outsideCrop: readonly number[];
}

/** The label map of a scan within the crop of its image; values that mean nothing are background. */
export function cropLabel(
  { data, shape }: Pick<Volume, 'data' | 'shape'>,
  { offset, shape: size }: Box,
  { labelValues, ignoredValue }: LabelValues,
): CroppedLabel {
  const classes = new Map(labelValues.map((value, index) => [value, index]));
  if (ignoredValue !== undefined) classes.set(ignoredValue, IGNORED_CLASS);
  const label = new Uint8Array(new SharedArrayBuffer(voxelsOf(size)));
  let to = 0;
  for (let z = 0; z < size[0]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const from = ((z + offset[0]) * shape[1] + y + offset[1]) * shape[2] + offset[2];
      for (let x = 0; x < size[2]; x++, to++) {
        const value = data[from + x];
        if (value !== 0) label[to] = classes.get(value) ?? 0;
      }
    }
  }
  const [all, inside] = [countValues(data), countValues(label)];
  const outsideCrop = labelValues.map((value, index) =>
    index === 0 ? 0 : (all.get(value) ?? 0) - (inside.get(index) ?? 0),
  );
  return { label, outsideCrop };
}

/**
 * Reads the label of a case again, as it was before it was resampled, with its spacing `[depth, height, width]` in millimetres.
 * @param prepared with the turn that its label was given when it was prepared
 */
export async function readOwnLabel(
  { labelFile, labelTurn, crop }: { readonly labelFile: string; readonly labelTurn: Turn; readonly crop: Box },
  values: LabelValues,
): Promise<CroppedLabel & { readonly spacing: Triple }> {
  const volume = turnVolume(await readLabelMap(labelFile), labelTurn);
  return { ...cropLabel(volume, crop, values), spacing: volume.spacing };
}
