import { type Axis, axes, type Triple } from '../base/geometry.ts';
import type { Random } from '../base/random.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { aroundOne, between } from './chance.ts';
import { drawIntensities } from './draw-intensities.ts';
import type { IntensityChange } from './intensities.ts';
import type { Matrix } from './resample.ts';

/** How a crop is changed beyond its flip: plain data, all chance drawn. */
export interface Augmentation {
  /** Rotation and scaling, from steps in the patch to steps in the case, in voxels; none where the crop stays straight. */
  readonly matrix?: Matrix;
  /** How its labels are found there: `nearest` where it is left out. */
  readonly labels?: Recipe['augmentation']['label_interpolation'];
  /** Of each channel, one after the other; none where no intensity changes. */
  readonly intensities?: readonly (readonly IntensityChange[])[];
}

/** What is drawn for. */
export interface Augmented {
  readonly channels: number;
  /** `[depth, height, width]` in millimetres. */
  readonly spacing: Triple;
  /** `[depth, height, width]` in voxels. */
  readonly patch: Triple;
}

/**
 * Draws the augmentation of a crop. What nnU-Net does (Isensee et al. 2021, supplement 4; nnU-Net v2, `get_training_transforms`) is one
 * recipe of it. Thick slices lose nothing by being turned within their plane, and are few.
 */
export function drawAugmentation(
  random: Random,
  { channels, spacing, patch }: Augmented,
  recipe: Recipe['augmentation'],
): Augmentation {
  const inPlane = isAnisotropic(spacing, patch, recipe);
  const share = inPlane ? recipe.spatial_in_plane : recipe.spatial;
  const rotates = random.uniform() < share;
  const largest = inPlane ? recipe.rotation_in_plane : recipe.rotation;
  const angle = (): number => (rotates ? between(random, [-largest, largest]) : 0);
  const angles: Triple = inPlane ? [angle(), 0, 0] : [angle(), angle(), angle()];
  const scales = random.uniform() < share;
  const scale = scales ? (recipe.scale_balanced ? aroundOne : between)(random, recipe.scale) : 1;
  const lengths: Triple = recipe.rotation_in === 'voxels' ? [1, 1, 1] : spacing;
  const intensities = drawIntensities(random, channels, inPlane, recipe);
  return {
    ...((rotates || scales) && {
      matrix: turningMatrix(angles, [inPlane ? 1 : scale, scale, scale], lengths),
      labels: recipe.label_interpolation,
    }),
    ...(intensities.some((changes) => changes.length > 0) && { intensities }),
  };
}

/** Whether rotating out of the plane would mix thick slices, or turn most of a flat patch out of its case. */
function isAnisotropic(
  spacing: Triple,
  patch: Triple,
  { thick_slices, flat_patches }: Recipe['augmentation'],
): boolean {
  return (
    (thick_slices !== null && spacing[0] > thick_slices * Math.min(spacing[1], spacing[2])) ||
    Math.max(patch[1], patch[2]) > flat_patches * patch[0]
  );
}

/**
 * Rotations by `angles` (radians) around the axes depth, height and width one after the other, in millimetres, so that voxels that are
 * no cubes do not shear what they show; then steps along the axes of the case `scale` times as long.
 */
export function turningMatrix(angles: Triple, scale: Triple, spacing: Triple): Matrix {
  const [aroundDepth, aroundHeight, aroundWidth] = angles.map((angle) => [Math.cos(angle), Math.sin(angle)] as const);
  const [[cd, sd], [ch, sh], [cw, sw]] = [aroundDepth, aroundHeight, aroundWidth];
  const rotation: Matrix = multiply(
    multiply(
      [
        [1, 0, 0],
        [0, cd, -sd],
        [0, sd, cd],
      ],
      [
        [ch, 0, sh],
        [0, 1, 0],
        [-sh, 0, ch],
      ],
    ),
    [
      [cw, -sw, 0],
      [sw, cw, 0],
      [0, 0, 1],
    ],
  );
  return mapMatrix((row, column) => (scale[row] * rotation[row][column] * spacing[column]) / spacing[row]);
}

function multiply(left: Matrix, right: Matrix): Matrix {
  return mapMatrix((row, column) => left[row].reduce((sum, value, inner) => sum + value * right[inner][column], 0));
}

function mapMatrix(entry: (row: 0 | 1 | 2, column: 0 | 1 | 2) => number): Matrix {
  const row = (at: 0 | 1 | 2): Triple => [entry(at, 0), entry(at, 1), entry(at, 2)];
  return [row(0), row(1), row(2)];
}

/** The matrix of a patch that is mirrored besides. */
export function mirrored(matrix: Matrix, flip: readonly Axis[]): Matrix {
  return mapMatrix((row, column) => (flip.includes(axes[column]) ? -1 : 1) * matrix[row][column]);
}
