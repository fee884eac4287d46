import { concatenate, scope, type Tensor } from '@ronasmis/libtorch';
import { voxelsOf } from '../base/geometry.ts';
import { groupBy } from '../base/group-by.ts';
import { readOwnLabel } from '../data/cropped-label.ts';
import { thickAxis } from '../data/spacing.ts';
import { dataTypeOf } from '../engine/device.ts';
import { toImage, toLabel } from '../engine/to-device.ts';
import {
  type Downsampling,
  downsampledShape,
  downsampleImages,
  downsampleLabels,
} from '../preparation/downsampling.ts';
import { imageOf, isResampled, labelOf, type PreparedCase } from '../preparation/prepare.ts';
import { voxelsInOnePass } from './constants.ts';
import type { RunContext } from './context.ts';

/**
 * Whole cases of one shape on the device: image `[batch, channel, depth, height, width]`, label `[batch, depth, height, width]`, which
 * may be on a finer or coarser grid than the image.
 */
export interface DeviceBatch {
  readonly image: Tensor;
  readonly label: Tensor;
  readonly cases: readonly EvaluatedCase[];
  /** By what the volumes were downsampled, and the windows that slide over them have to be. */
  readonly downsampling?: Downsampling;
  /** The axis of thick slices, where the label is on another grid than the image. */
  readonly thickAxis?: 0 | 1 | 2 | undefined;
}

interface EvaluatedCase {
  readonly name: string;
  /** By class index, voxels (of the label's size) of the label outside of what the network sees. */
  readonly outsideCrop: readonly number[];
}

/** Cases on the device, as {@link evaluatedTogether}; downsampled where a coarse search evaluates on them. */
export function toDeviceBatches(
  context: RunContext,
  cases: readonly PreparedCase[],
  downsampling?: Downsampling,
): readonly DeviceBatch[] {
  return scope(() => evaluatedTogether(cases).map((group) => toDeviceBatch(context, group, downsampling)));
}

/** Small cases of one shape together, for a pass over several takes less time than one over each. */
export function evaluatedTogether(cases: readonly PreparedCase[]): readonly (readonly PreparedCase[])[] {
  const groups = groupBy(cases, ({ shape }) => String(shape));
  return [...groups.values()].flatMap((group) => {
    const most = Math.max(1, Math.floor(voxelsInOnePass / voxelsOf(group[0].shape)));
    return Array.from({ length: Math.ceil(group.length / most) }, (_, index) =>
      group.slice(index * most, (index + 1) * most),
    );
  });
}

function toDeviceBatch(
  { device, precision }: RunContext,
  cases: readonly PreparedCase[],
  downsampling: Downsampling = [1, 1, 1],
): DeviceBatch {
  const [{ channels, shape }] = cases;
  const size = downsampledShape(shape, downsampling);
  const joined = (parts: readonly Tensor[]): Tensor => (parts.length === 1 ? parts[0] : concatenate(parts, 0));
  const image = (one: PreparedCase): Tensor =>
    toImage(downsampleImages(imageOf(one), shape, downsampling), [1, channels, ...size], device, dataTypeOf[precision]);
  return scope(() => ({
    image: joined(cases.map(image)),
    label: joined(
      cases.map((one) => toLabel(downsampleLabels(labelOf(one), shape, downsampling), [1, ...size], device)),
    ),
    cases: cases.map(({ name, outsideCrop }) => ({
      name,
      outsideCrop: outsideCrop.map((voxels) => voxels / voxelsOf(downsampling)),
    })),
    downsampling,
  }));
}

/** A case with its label on the scan's own grid, read again where the case was resampled: predictions are brought back for it. */
export async function toOwnGridBatch(context: RunContext, prepared: PreparedCase): Promise<DeviceBatch> {
  if (!isResampled(prepared)) return toDeviceBatch(context, [prepared]);
  const { label, outsideCrop, spacing } = await readOwnLabel(prepared, context);
  const batch = toDeviceBatch(context, [prepared]);
  batch.label.free();
  return {
    image: batch.image,
    label: toLabel(label, [1, ...prepared.crop.shape], context.device),
    cases: [{ name: prepared.name, outsideCrop }],
    thickAxis: thickAxis(prepared.spacing, spacing),
  };
}

export function freeBatches(batches: readonly DeviceBatch[]): void {
  for (const { image, label } of batches) for (const tensor of [image, label]) tensor.free();
}
