import { type Crop, cropVolume } from './crop.ts';
import { IGNORED_CLASS } from './description.ts';
import { turnVolume } from './orientation.ts';
import { readVolume } from './read-volume.ts';
import { voxelsOf } from './spacing.ts';
import { countValues } from './statistics.ts';
import type { Volume } from './volume.ts';

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

/** The label map of a scan within its crop. */
export function cropLabel(
  volume: Volume,
  { offset, size, shape }: Crop,
  { labelValues, ignoredValue }: LabelValues,
): CroppedLabel {
  const values = new Float32Array(voxelsOf(size));
  cropVolume(volume.data, 0, shape, { offset, shape: size }, values);
  const label = new Uint8Array(new SharedArrayBuffer(values.length));
  const classes = labelValues.map((value, index) => ({ value, index }));
  if (ignoredValue !== undefined) classes.push({ value: ignoredValue, index: IGNORED_CLASS });
  for (const { value, index } of classes) {
    for (let i = 0; i < label.length; i++) if (values[i] === value) label[i] = index;
  }
  const all = countValues(volume.data);
  const inside = countValues(values);
  const outsideCrop = labelValues.map((value, index) =>
    index === 0 ? 0 : (all.get(value) ?? 0) - (inside.get(value) ?? 0),
  );
  return { label, outsideCrop };
}

/**
 * Reads the label of a case again, as it was before it was resampled.
 * @param context with the orientation that the data set's cases were turned to
 */
export async function readOwnLabel(
  { labelFile, crop }: { readonly labelFile: string; readonly crop: Crop },
  context: LabelValues & { readonly orientation: string },
): Promise<CroppedLabel> {
  return cropLabel(turnVolume(await readVolume(labelFile), context.orientation), crop, context);
}
