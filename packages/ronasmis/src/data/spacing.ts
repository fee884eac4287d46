import { type Triple, voxelsOf } from '../base/geometry.ts';
import { quantile } from '../base/statistics.ts';

/** How finely a volume is sampled, `[depth, height, width]`: voxels, and millimetres between them. */
export interface Sampling {
  readonly shape: Triple;
  readonly spacing: Triple;
}

/** An axis of so many times the spacing of another is thick (nnU-Net). */
const anisotropic = 3;
/** Spacings that differ by no more than this share are one. */
const tolerance = 0.01;
/** So much coarser than the others an axis of thick slices stays, in millimetres (nnU-Net). */
const margin = 1e-5;

const axes = [0, 1, 2] as const;

/**
 * The spacing that all volumes of a data set are resampled to, by the rule of nnU-Net's full resolution (Isensee et al. 2021, supplement 2,
 * and `determine_fullres_target_spacing` of its code): the median of each axis. Where slices are thick, and few, the 10th percentile is
 * taken across them, but no less than the spacing within them: interpolated slices are worse than large volumes.
 * @param grids of all cases, of one orientation
 */
export function commonSpacing(grids: readonly Sampling[]): Triple {
  const along = (of: keyof Sampling, axis: number, fraction: number): number =>
    quantile(
      grids.map((grid) => grid[of][axis]).sort((left, right) => left - right),
      fraction,
    );
  const spacing = axes.map((axis) => along('spacing', axis, 0.5));
  const thick = spacing.indexOf(Math.max(...spacing));
  const others = axes.filter((axis) => axis !== thick);
  const widest = Math.max(...others.map((axis) => spacing[axis]));
  const fewest = Math.min(...others.map((axis) => along('shape', axis, 0.5)));
  if (spacing[thick] > anisotropic * widest && anisotropic * along('shape', thick, 0.5) < fewest) {
    const thin = along('spacing', thick, 0.1);
    spacing[thick] = thin < widest ? widest + margin : thin;
  }
  return [spacing[0], spacing[1], spacing[2]];
}

/** A spacing no axis of which is finer than so many times the finest one of `spacing`: axes of thick slices stay as they are for longer. */
export function coarsened(spacing: Triple, times: number): Triple {
  const finest = times * Math.min(...spacing);
  return [Math.max(spacing[0], finest), Math.max(spacing[1], finest), Math.max(spacing[2], finest)];
}

/** The voxels of a volume at a spacing; those that it has where its own is the same within 1 %. */
export function shapeAt({ shape, spacing }: Sampling, common: Triple): Triple {
  if (axes.every((axis) => Math.abs(spacing[axis] / common[axis] - 1) <= tolerance)) return shape;
  const size = (axis: 0 | 1 | 2): number => Math.max(1, Math.round((shape[axis] * spacing[axis]) / common[axis]));
  return [size(0), size(1), size(2)];
}

/** What a volume would become at a spacing, where one of the two must be wrong; undefined where both may be right. */
export function misfitAt(grid: Sampling, common: Triple): 'far too large' | 'a single voxel' | undefined {
  const voxels = voxelsOf(shapeAt(grid, common));
  if (voxels > mostGrowth * voxelsOf(grid.shape)) return 'far too large';
  return voxels === 1 && voxelsOf(grid.shape) > mostShrinkage ? 'a single voxel' : undefined;
}

/** From 5 mm slices of 1 mm voxels to half a millimetre everywhere it is 40 times. */
const mostGrowth = 100;
/** What is as large as a voxel of other scans has few voxels itself, or a header in other units. */
const mostShrinkage = 1000;

/**
 * The axis along which thick slices would be mixed, so that nothing is interpolated there: the coarsest of a spacing, or else of the
 * other, where it is more than three times the finest and the only one (nnU-Net's `separate_z`).
 */
export function thickAxis(spacing: Triple, common: Triple): 0 | 1 | 2 | undefined {
  const uneven = [spacing, common].find((values) => Math.max(...values) > anisotropic * Math.min(...values));
  if (uneven === undefined) return undefined;
  const coarsest = axes.filter((axis) => uneven[axis] * (1 + tolerance) >= Math.max(...uneven));
  return coarsest.length === 1 ? coarsest[0] : undefined;
}
