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

/** Writes `target` from `start` to `end`: samples of `source`, of `shape`, that begin at a place in it and go on in equal steps. */
export type RowSampler<T> = (
  source: T,
  shape: Triple,
  begin: Triple,
  step: Triple,
  target: T,
  start: number,
  end: number,
) => void;

/**
 * Fills `target`, flat `[depth, height, width]` of the patch's size, with samples of `source`, the flat values of
 * {@link boxAround} the patch.
 */
export function resample<T>(
  source: T,
  box: Box,
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
        box.offset[axis] +
        centre[axis] +
        (matrix[axis][0] * (z - centre[0]) + matrix[axis][1] * (y - centre[1]) - matrix[axis][2] * centre[2]);
      const start = (z * patch[1] + y) * patch[2];
      sampleRow(source, box.shape, [begin(0), begin(1), begin(2)], step, target, start, start + patch[2]);
    }
  }
}

/** Trilinear interpolation. */
export function linearRow(
  source: Float32Array,
  [, height, width]: Triple,
  [beginZ, beginY, beginX]: Triple,
  [stepZ, stepY, stepX]: Triple,
  target: Float32Array,
  start: number,
  end: number,
): void {
  const plane = height * width;
  for (let i = 0; i < end - start; i++) {
    const [z, y, x] = [beginZ + i * stepZ, beginY + i * stepY, beginX + i * stepX];
    // All are positive, so that dropping the fraction rounds down.
    const [k, j, c] = [z | 0, y | 0, x | 0];
    const [toNextPlane, toNextRow, toNext] = [z - k, y - j, x - c];
    const at = k * plane + j * width + c;
    const near = between(source, at, width, toNextRow, toNext);
    target[start + i] =
      toNextPlane === 0 ? near : near + toNextPlane * (between(source, at + plane, width, toNextRow, toNext) - near);
  }
}

/** Bilinear interpolation within a plane. */
function between(source: Float32Array, at: number, width: number, toNextRow: number, toNext: number): number {
  const here = source[at] + toNext * (source[at + 1] - source[at]);
  const below = source[at + width] + toNext * (source[at + width + 1] - source[at + width]);
  return here + toNextRow * (below - here);
}

/** The nearest voxel. */
export function nearestRow(
  source: Uint8Array,
  [, height, width]: Triple,
  [beginZ, beginY, beginX]: Triple,
  [stepZ, stepY, stepX]: Triple,
  target: Uint8Array,
  start: number,
  end: number,
): void {
  for (let i = 0; i < end - start; i++) {
    const [k, j, c] = [(beginZ + i * stepZ + 0.5) | 0, (beginY + i * stepY + 0.5) | 0, (beginX + i * stepX + 0.5) | 0];
    target[start + i] = source[(k * height + j) * width + c];
  }
}
