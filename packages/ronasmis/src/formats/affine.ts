import { UserError } from '../base/errors.ts';
import type { Triple } from '../base/geometry.ts';

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
  const length = (column: 0 | 1 | 2) => Math.hypot(...columnOf(affine, column));
  return [length(0), length(1), length(2)];
}

/** At 45 degrees two axes are equally near except for rounding: the later one has to be nearer by this share of a step to be taken. */
const clearlyNearer = 1e-3;

/**
 * Where each voxel axis points most, such as 'RAS' or 'LPS': x first. Near 45 degrees, a header that is stored in another way may say otherwise:
 * whoever turns two volumes that belong together decides once, for both.
 */
export function orientationOf(affine: Affine): string {
  const towards = ['RL', 'AP', 'SI'];
  const free = new Set([0, 1, 2]);
  const spacing = spacingOf(affine);
  return [0, 1, 2]
    .map((column) => {
      const nearer = (row: number, than: number): boolean =>
        Math.abs(affine[row][column]) > Math.abs(affine[than][column]) + clearlyNearer * spacing[column];
      const axis = [...free].reduce((best, row) => (nearer(row, best) ? row : best));
      free.delete(axis);
      return towards[axis][affine[axis][column] < 0 ? 1 : 0];
    })
    .join('');
}

/** Below this, in millimetres, nothing is a distance between voxels: a header of rounding errors alone. */
const smallestSpacing = 1e-6;
/** Share of a right-angled voxel's volume that a sheared one has at least: a tilted gantry leaves more than half. */
const smallestVolume = 1e-5;

/** Whether an affine gives every voxel a place of its own, also when it was rounded. */
export function isPlaced(affine: Affine): boolean {
  const [x, y, z] = [columnOf(affine, 0), columnOf(affine, 1), columnOf(affine, 2)];
  const spacing = spacingOf(affine);
  const upright = spacing[0] * spacing[1] * spacing[2];
  return (
    affine.flat().every(Number.isFinite) &&
    Math.min(...spacing) >= smallestSpacing &&
    Math.abs(dot(x, cross(y, z))) >= smallestVolume * upright
  );
}

/** @throws UserError about `file` where its affine gives voxels no places, or all of them one */
export function requirePlaced(file: string, affine: Affine): void {
  if (isPlaced(affine)) return;
  throw new UserError(
    `${file}: the header places the voxels nowhere (its affine is singular or not finite). Export the file again.`,
  );
}

/** A step in millimetres, as steps along the voxel axes x, y, z of a grid: what the affine's matrix takes to it (Cramer's rule). */
export function toVoxelSteps(affine: Affine, millimetres: Triple): Triple {
  const [x, y, z] = [columnOf(affine, 0), columnOf(affine, 1), columnOf(affine, 2)];
  const volume = dot(x, cross(y, z));
  return [
    dot(millimetres, cross(y, z)) / volume,
    dot(millimetres, cross(z, x)) / volume,
    dot(millimetres, cross(x, y)) / volume,
  ];
}

/** Millimetres from a voxel to its neighbour along an axis, towards right, anterior, superior. */
export const columnOf = (affine: Affine, axis: 0 | 1 | 2): Triple => [
  affine[0][axis],
  affine[1][axis],
  affine[2][axis],
];

export const dot = ([a, b, c]: Triple, [x, y, z]: Triple): number => a * x + b * y + c * z;

export const cross = ([a, b, c]: Triple, [x, y, z]: Triple): Triple => [b * z - c * y, c * x - a * z, a * y - b * x];
