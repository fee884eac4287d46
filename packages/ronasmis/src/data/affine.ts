import { z } from 'zod';
import { UserError } from '../errors.ts';

/** Three numbers, one a spatial axis. */
export const tripleSchema = z.tuple([z.number(), z.number(), z.number()]).readonly();
export type Triple = z.infer<typeof tripleSchema>;

/** The four rows of the matrix that takes voxel indices (x, y, z, 1) to millimetres, RAS: towards right, anterior, superior. */
export type Affine = readonly (readonly [number, number, number, number])[];

/** Squared real parts below this are zero: nibabel's threshold for quaternions that are stored as float32 (3 epsilon). */
const QUATERNION_THRESHOLD = 3 * 2 ** -23;

/** The affine of NIfTI's qform: a unit quaternion by its last three parts, voxel sizes, the sign of the z axis, an offset. */
export function affineFromQuaternion(bcd: Triple, voxelSizes: Triple, zSign: 1 | -1, offset: Triple): Affine {
  const [x, y, z] = bcd;
  const remainder = 1 - (x * x + y * y + z * z);
  const w = remainder < QUATERNION_THRESHOLD ? 0 : Math.sqrt(remainder);
  const scale = 2 / (w * w + x * x + y * y + z * z);
  const rotation = [
    [1 - scale * (y * y + z * z), scale * (x * y - w * z), scale * (x * z + w * y)],
    [scale * (x * y + w * z), 1 - scale * (x * x + z * z), scale * (y * z - w * x)],
    [scale * (x * z - w * y), scale * (y * z + w * x), 1 - scale * (x * x + y * y)],
  ];
  const row = (axis: 0 | 1 | 2) => {
    const [toX, toY, toZ] = rotation[axis];
    return [toX * voxelSizes[0], toY * voxelSizes[1], toZ * voxelSizes[2] * zSign, offset[axis]] as const;
  };
  return [row(0), row(1), row(2), [0, 0, 0, 1]];
}

/** The affine of a scan that states neither sform nor qform: centred, the x axis flipped, as nibabel and SPM read it. */
export function affineFromVoxelSizes(shape: Triple, [x, y, z]: Triple): Affine {
  const [centreX, centreY, centreZ] = shape.map((size) => (size - 1) / 2);
  return [
    [-x, 0, 0, centreX * x],
    [0, y, 0, -centreY * y],
    [0, 0, z, -centreZ * z],
    [0, 0, 0, 1],
  ];
}

/** The affine (RAS) of one that leads towards left, posterior and superior, as ITK and DICOM have it. */
export function affineFromLps([left, posterior, ...others]: Affine): Affine {
  // Not the negative, which would turn 0 into -0.
  const mirrored = ([x, y, z, t]: Affine[number]) => [0 - x, 0 - y, 0 - z, 0 - t] as const;
  return [mirrored(left), mirrored(posterior), ...others];
}

/** The distance in millimetres between neighbouring voxels along x, y and z: the lengths of the affine's columns. */
export function spacingOf(affine: Affine): Triple {
  const length = (column: 0 | 1 | 2) => Math.hypot(affine[0][column], affine[1][column], affine[2][column]);
  return [length(0), length(1), length(2)];
}

/** Where each voxel axis points most, such as 'RAS' or 'LPS': x first. */
export function orientationOf(affine: Affine): string {
  const towards = ['RL', 'AP', 'SI'];
  const free = new Set([0, 1, 2]);
  return [0, 1, 2]
    .map((column) => {
      const axis = [...free].reduce((best, row) =>
        Math.abs(affine[row][column]) > Math.abs(affine[best][column]) ? row : best,
      );
      free.delete(axis);
      return towards[axis][affine[axis][column] < 0 ? 1 : 0];
    })
    .join('');
}

/** Volumes whose affines differ by up to this, in millimetres, are on one grid (nnU-Net's tolerance). */
export const affineTolerance = 1e-3;

/** The largest difference between two affines' entries, in millimetres. */
export function affineDifference(left: Affine, right: Affine): number {
  return Math.max(...left.flatMap((row, i) => row.map((value, j) => Math.abs(value - right[i][j]))));
}

/** @throws UserError about `file` where its affine gives voxels no places, or all of them one */
export function requirePlaced(file: string, affine: Affine): void {
  if (affine.flat().every(Number.isFinite) && Math.abs(determinant(affine)) > 0) return;
  throw new UserError(
    `${file}: the header places the voxels nowhere (its affine is singular or not finite). Export the file again.`,
  );
}

function determinant([[a, b, c], [d, e, f], [g, h, i]]: Affine): number {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}
