import { type Axis, axes, type Triple, voxelsOf } from '../base/geometry.ts';
import {
  type Downsampling,
  downsampledShape,
  downsampleImages,
  downsampleLabels,
} from '../preparation/downsampling.ts';
import type { PreparedCase } from '../preparation/prepare.ts';
import { imageSpan, labelSpan } from '../preparation/storage.ts';
import { type Augmentation, mirrored } from './augmentation.ts';
import { changeIntensities } from './intensities.ts';
import { type Block, boxAround, linearRow, majorityRow, nearestRow, type RowSampler, resample } from './resample.ts';

/** Which crops make up a batch: plain data, so that it can be sent to the thread that fills it. */
export interface BatchPlan {
  /** `[depth, height, width]` */
  readonly patch: Triple;
  readonly crops: readonly BatchCrop[];
  /** How the patches are downsampled in the end; not at all where it is left out. */
  readonly downsampling?: Downsampling;
}

/** `[depth, height, width]` of a batch's patches, once they are downsampled. */
export function filledShape({ patch, downsampling }: Pick<BatchPlan, 'patch' | 'downsampling'>): Triple {
  return downsampling ? downsampledShape(patch, downsampling) : patch;
}

/** One patch out of one case. */
export interface BatchCrop {
  /** Index into the cases that the batches were opened with. */
  readonly case: number;
  /** The patch's first voxel in the case, `[depth, height, width]`; what lies outside the case is filled with 0. */
  readonly offset: Triple;
  /** Along which it is mirrored. */
  readonly flip: readonly Axis[];
  readonly augmentation?: Augmentation;
}

/** What is read of a case to fill a batch. */
export type CropSource = Pick<PreparedCase, 'channels' | 'shape' | 'storage'>;

/** The arrays of a batch: image `[batch, channel, depth, height, width]`, label `[batch, depth, height, width]`. */
export interface BatchArrays {
  readonly image: Float32Array;
  readonly label: Uint8Array;
}

/** Copies the crops of `plan` into the arrays, overwriting all of them. */
export function fillBatch(cases: readonly CropSource[], plan: BatchPlan, { image, label }: BatchArrays): void {
  const { patch, downsampling } = plan;
  if (!downsampling) {
    fillWhole(cases, plan, { image, label });
    return;
  }
  const voxels = plan.crops.length * voxelsOf(patch);
  const whole = {
    image: new Float32Array(voxels * cases[plan.crops[0].case].channels),
    label: new Uint8Array(voxels),
  };
  fillWhole(cases, plan, whole);
  image.set(downsampleImages(whole.image, patch, downsampling));
  label.set(downsampleLabels(whole.label, patch, downsampling));
}

/** The same before anything is downsampled. */
function fillWhole(cases: readonly CropSource[], { patch, crops }: BatchPlan, { image, label }: BatchArrays): void {
  const voxels = voxelsOf(patch);
  crops.forEach((crop, index) => {
    const { channels, shape, storage } = cases[crop.case];
    const size = voxelsOf(shape);
    for (let channel = 0; channel < channels; channel++) {
      const start = (index * channels + channel) * voxels;
      const values = image.subarray(start, start + voxels);
      const span = (from: number, to: number) => imageSpan(storage, channel * size + from, channel * size + to);
      fillPatch({ shape, span }, crop, { shape: patch, values }, intensities);
      const changes = crop.augmentation?.intensities?.[channel];
      if (changes) changeIntensities({ shape: patch, values }, changes);
    }
    const span = (from: number, to: number) => labelSpan(storage, from, to);
    const values = label.subarray(index * voxels, (index + 1) * voxels);
    fillPatch({ shape, span }, crop, { shape: patch, values }, classes[crop.augmentation?.labels ?? 'nearest']);
  });
}

/** A volume of a case, wherever its values are. */
interface Source<T> {
  readonly shape: Triple;
  /** The flat values [from, to). */
  readonly span: (from: number, to: number) => T;
}

/** How values of a kind are kept and found between voxels. */
interface Kind<T> {
  readonly empty: (length: number) => T;
  readonly sampleRow: RowSampler<T>;
}
const intensities: Kind<Float32Array> = { empty: (length) => new Float32Array(length), sampleRow: linearRow };
const noClasses = (length: number): Uint8Array => new Uint8Array(length);
const classes: Record<'nearest' | 'linear', Kind<Uint8Array>> = {
  nearest: { empty: noClasses, sampleRow: nearestRow },
  linear: { empty: noClasses, sampleRow: majorityRow },
};

/** Fills a patch: by a copy, or by samples of a copy of what lies around it where it is turned. */
function fillPatch<T extends Float32Array | Uint8Array>(
  source: Source<T>,
  crop: BatchCrop,
  patch: Block<T>,
  { empty, sampleRow }: Kind<T>,
): void {
  const matrix = crop.augmentation?.matrix;
  if (!matrix) {
    copyCrop(source, crop, patch);
    return;
  }
  const turned = { offset: crop.offset, patch: patch.shape, matrix: mirrored(matrix, crop.flip) };
  const box = boxAround(turned);
  const around = { ...box, values: empty(voxelsOf(box.shape)) };
  copyCrop(source, { offset: box.offset, flip: [] }, around);
  resample(around, turned, patch.values, sampleRow);
}

/** Copies one crop; what lies outside of the source is 0. */
function copyCrop<T extends Float32Array | Uint8Array>(
  { shape, span }: Source<T>,
  { offset, flip }: Pick<BatchCrop, 'offset' | 'flip'>,
  { shape: patch, values: target }: Block<T>,
): void {
  const [, height, width] = shape;
  const [beginZ, beginY, beginX] = offset.map((first) => Math.max(0, first));
  const [endZ, endY, endX] = offset.map((first, axis) => Math.min(shape[axis], first + patch[axis]));
  target.fill(0);
  if (beginY >= endY || beginX >= endX) return;
  const count = endX - beginX;
  const [depthFlips, heightFlips, widthFlips] = axes.map((axis) => flip.includes(axis));
  const left = widthFlips ? offset[2] + patch[2] - endX : beginX - offset[2];
  for (let z = beginZ; z < endZ; z++) {
    // From the first to the last voxel that is needed of this plane: one read where the case is on disk.
    const first = (z * height + beginY) * width + beginX;
    const plane = span(first, first + (endY - beginY - 1) * width + count);
    const slice = depthFlips ? offset[0] + patch[0] - 1 - z : z - offset[0];
    for (let y = beginY; y < endY; y++) {
      const line = heightFlips ? offset[1] + patch[1] - 1 - y : y - offset[1];
      const row = plane.subarray((y - beginY) * width, (y - beginY) * width + count);
      const start = (slice * patch[1] + line) * patch[2] + left;
      target.set(row, start);
      if (widthFlips) target.subarray(start, start + count).reverse();
    }
  }
}
