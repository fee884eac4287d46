import { addInPlace, argmaxLabels, multiplyInPlace, narrow, scope, type Tensor, to } from '@ronasmis/libtorch';
import { type Box, type Triple, voxelsOf } from '../base/geometry.ts';
import { boxOf } from './sliding-window.ts';
import { isLarger } from './tiles.ts';

/** What is looked at again of one image of a batch. */
export interface Region extends Box {
  /** Of the image, in its batch. */
  readonly index: number;
}

/** Share of the voxels found that may lie before the region, and behind it, along an axis: a few far away would make it the whole volume. */
const shareOutside = 0.01;

/**
 * The region of each image of a batch where a first pass over the whole volume has found something, no smaller than the training patch where the volume
 * isn't: norms see there what they saw in training, as they do not in a volume that is much larger. So does coarse-to-fine segmentation, by a second
 * network (Zhou et al. 2017, "A Fixed-Point Model for Pancreas Segmentation in Abdominal CT Scans").
 * @param logits `[batch, class, depth, height, width]` of the first pass
 * @returns none for an image where nothing was found, or where the region would be the whole of it
 */
export function regionsFound(logits: Tensor, patch: Triple): readonly Region[] {
  const [batch, , depth, height, width] = logits.shape;
  const volume: Triple = [depth, height, width];
  if (!isLarger(volume, patch)) return [];
  const classes = scope(() => to(argmaxLabels(logits), { dataType: 'uint8', device: 'cpu' }).toArray());
  if (!(classes instanceof Uint8Array)) throw new TypeError('Segmentations are uint8.');
  const voxels = voxelsOf(volume);
  return Array.from({ length: batch }, (_, index) => index).flatMap((index) => {
    const region = regionAbout(classes.subarray(index * voxels, (index + 1) * voxels), volume, patch);
    return region && isLarger(volume, region.shape) ? [{ index, ...region }] : [];
  });
}

/** The box about the middle of what was found, no smaller than the patch; undefined where nothing was. */
function regionAbout(classes: Uint8Array, volume: Triple, patch: Triple): Box | undefined {
  const counts = foundAlongAxes(classes, volume);
  if (counts[0].every((count) => count === 0)) return undefined;
  const along = (axis: 0 | 1 | 2): { readonly offset: number; readonly size: number } => {
    const [first, end] = extentOf(counts[axis]);
    const size = Math.min(volume[axis], Math.max(patch[axis], end - first));
    const offset = Math.round((first + end - size) / 2);
    return { offset: Math.max(0, Math.min(volume[axis] - size, offset)), size };
  };
  const [z, y, x] = [along(0), along(1), along(2)];
  return { offset: [z.offset, y.offset, x.offset], shape: [z.size, y.size, x.size] };
}

/** Voxels that were found in each slice, in each row and in each column. */
function foundAlongAxes(classes: Uint8Array, [depth, height, width]: Triple): readonly Float64Array[] {
  const [slices, rows, columns] = [depth, height, width].map((size) => new Float64Array(size));
  let voxel = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (classes[voxel++] === 0) continue;
        slices[z] += 1;
        rows[y] += 1;
        columns[x] += 1;
      }
    }
  }
  return [slices, rows, columns];
}

/** Where along an axis what was found lies, but for {@link shareOutside} of it on either side. */
function extentOf(counts: Float64Array): readonly [first: number, end: number] {
  const outside = shareOutside * counts.reduce((sum, count) => sum + count, 0);
  const withoutEdge = (inwards: Float64Array): number => {
    let passed = 0;
    return inwards.findIndex((count) => {
      passed += count;
      return passed > outside;
    });
  };
  return [withoutEdge(counts), counts.length - withoutEdge(counts.toReversed())];
}

/** A region's image, `[1, channel, ...shape]`, in memory of its own. */
export function partOf(images: Tensor, { index, offset, shape }: Region): Tensor {
  return scope(() => {
    const part = boxOf(narrow(images, 0, index, 1), offset, shape);
    return to(part, { dataType: images.dataType, copy: true, memoryFormat: 'channels_last_3d' });
  });
}

/** Puts the mean of both looks in place of the first where a region was looked at again. */
export function addLook(logits: Tensor, { index, offset, shape }: Region, ofRegion: Tensor): void {
  scope(() => {
    const target = boxOf(narrow(logits, 0, index, 1), offset, shape);
    addInPlace(target, to(ofRegion, { dataType: 'float32', device: logits.device }));
    multiplyInPlace(target, 0.5);
  });
}
