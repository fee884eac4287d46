import type { Box, Triple } from '../base/geometry.ts';

/** Rows of a 3 x 3 matrix, axes in the order depth, height, width. */
export type Matrix = readonly [Triple, Triple, Triple];

/** A patch that lies turned, scaled or mirrored in its case. */
export interface TurnedPatch {
  /** The first voxel of the patch in the case, were it not turned. */
  readonly offset: Triple;
  /** `[depth, height, width]` in voxels. */
  readonly patch: Triple;
  /** Takes steps in the patch to steps in the case, in voxels, around the patch's centre. */
  readonly matrix: Matrix;
}

/** All voxels of a case that {@link resample} reads, and one more on every side, for rounding. */
export function boxAround({ offset, patch, matrix }: TurnedPatch): Box {
  const along = (axis: 0 | 1 | 2): readonly [number, number] => {
    const centre = offset[axis] + (patch[axis] - 1) / 2;
    const reach = patch.reduce((sum, size, other) => sum + Math.abs(matrix[axis][other]) * ((size - 1) / 2), 0);
    const first = Math.floor(centre - reach) - 1;
    return [first, Math.floor(centre + reach) + 3 - first];
  };
  const [depth, height, width] = [along(0), along(1), along(2)];
  return { offset: [depth[0], height[0], width[0]], shape: [depth[1], height[1], width[1]] };
}

/** Flat values of a shape `[depth, height, width]`. */
export interface Block<T> {
  readonly shape: Triple;
  readonly values: T;
}

/** Places in a block that begin somewhere and go on in equal steps, in voxels. */
interface Line {
  readonly begin: Triple;
  readonly step: Triple;
  readonly count: number;
}

/** Writes samples of a block along a line into `target`, from `start` on. */
export type RowSampler<T> = (source: Block<T>, line: Line, target: T, start: number) => void;

/**
 * Fills `target`, flat `[depth, height, width]` of the patch's size.
 * @param source the values of {@link boxAround} the patch, with where it lies in the case
 */
export function resample<T>(
  source: Block<T> & Box,
  { offset, patch, matrix }: TurnedPatch,
  target: T,
  sampleRow: RowSampler<T>,
): void {
  const centre = patch.map((size) => (size - 1) / 2);
  const step: Triple = [matrix[0][2], matrix[1][2], matrix[2][2]];
  for (let z = 0; z < patch[0]; z++) {
    for (let y = 0; y < patch[1]; y++) {
      const begin = (axis: 0 | 1 | 2): number =>
        offset[axis] -
        source.offset[axis] +
        centre[axis] +
        (matrix[axis][0] * (z - centre[0]) + matrix[axis][1] * (y - centre[1]) - matrix[axis][2] * centre[2]);
      const start = (z * patch[1] + y) * patch[2];
      sampleRow(source, { begin: [begin(0), begin(1), begin(2)], step, count: patch[2] }, target, start);
    }
  }
}

/** Trilinear interpolation. */
export function linearRow(
  { shape: [, height, width], values }: Block<Float32Array>,
  { begin: [beginZ, beginY, beginX], step: [stepZ, stepY, stepX], count }: Line,
  target: Float32Array,
  start: number,
): void {
  const plane = height * width;
  for (let i = 0; i < count; i++) {
    const [z, y, x] = [beginZ + i * stepZ, beginY + i * stepY, beginX + i * stepX];
    // All are positive, so that dropping the fraction rounds down.
    const [k, j, c] = [z | 0, y | 0, x | 0];
    const [toNextPlane, toNextRow, toNext] = [z - k, y - j, x - c];
    const at = k * plane + j * width + c;
    const near = between(values, at, width, toNextRow, toNext);
    target[start + i] =
      toNextPlane === 0 ? near : near + toNextPlane * (between(values, at + plane, width, toNextRow, toNext) - near);
  }
}

/** Bilinear interpolation within a plane: numbers alone, for it is asked twice a voxel. */
function between(source: Float32Array, at: number, width: number, toNextRow: number, toNext: number): number {
  const here = source[at] + toNext * (source[at + 1] - source[at]);
  const below = source[at + width] + toNext * (source[at + width + 1] - source[at + width]);
  return here + toNextRow * (below - here);
}

/** The nearest voxel. */
export function nearestRow(
  { shape: [, height, width], values }: Block<Uint8Array>,
  { begin: [beginZ, beginY, beginX], step: [stepZ, stepY, stepX], count }: Line,
  target: Uint8Array,
  start: number,
): void {
  for (let i = 0; i < count; i++) {
    const [k, j, c] = [(beginZ + i * stepZ + 0.5) | 0, (beginY + i * stepY + 0.5) | 0, (beginX + i * stepX + 0.5) | 0];
    target[start + i] = values[(k * height + j) * width + c];
  }
}

/** Shares that differ by less are as large as each other: about what the half precision that nnU-Net keeps them in tells apart. */
const sameShare = 2.5e-4;

/**
 * The class of the largest share, by the weights of trilinear interpolation, and of two equal ones the nearest voxel's: what nnU-Net's
 * labels are (batchgeneratorsv2, `SpatialTransform`).
 */
export function majorityRow(
  { shape: [, height, width], values }: Block<Uint8Array>,
  { begin: [beginZ, beginY, beginX], step: [stepZ, stepY, stepX], count }: Line,
  target: Uint8Array,
  start: number,
): void {
  const plane = height * width;
  const corners = [0, 1, width, width + 1, plane, plane + 1, plane + width, plane + width + 1];
  for (let i = 0; i < count; i++) {
    const [z, y, x] = [beginZ + i * stepZ, beginY + i * stepY, beginX + i * stepX];
    const [k, j, c] = [z | 0, y | 0, x | 0];
    const at = k * plane + j * width + c;
    let isOne = true;
    for (let corner = 1; corner < 8; corner++) if (values[at + corners[corner]] !== values[at]) isOne = false;
    target[start + i] = isOne
      ? values[at]
      : largestShare(
          corners.map((corner) => values[at + corner]),
          [z - k, y - j, x - c],
        );
  }
}

/** @param classes of the corners of a voxel's cube, `[depth, height, width]`, with a place in it */
function largestShare(classes: readonly number[], [z, y, x]: Triple): number {
  const weightOf = (corner: number): number =>
    (corner & 4 ? z : 1 - z) * (corner & 2 ? y : 1 - y) * (corner & 1 ? x : 1 - x);
  const shareOf = (one: number): number =>
    classes.reduce((sum, other, corner) => (other === one ? sum + weightOf(corner) : sum), 0);
  const nearest = classes[(z < 0.5 ? 0 : 4) + (y < 0.5 ? 0 : 2) + (x < 0.5 ? 0 : 1)];
  let [largest, most] = [nearest, shareOf(nearest) + sameShare];
  for (const one of classes) {
    if (one === largest || shareOf(one) <= most) continue;
    [largest, most] = [one, shareOf(one)];
  }
  return largest;
}
