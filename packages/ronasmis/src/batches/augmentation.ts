import type { Triple } from '../base/geometry.ts';
import type { Random } from '../base/random.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { IntensityChange } from './intensities.ts';
import type { Matrix } from './resample.ts';

/** How a crop is changed beyond its flip: plain data, all chance drawn. */
export interface Augmentation {
  /** Rotation and scaling, from steps in the patch to steps in the case, in voxels; none where the crop stays straight. */
  readonly matrix?: Matrix;
  /** Of each channel; none where no intensity changes. */
  readonly intensities?: readonly IntensityChange[];
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
 * Draws the augmentation of a crop: a lighter form of nnU-Net's (Isensee et al. 2021, supplement 4), without blur, lower resolution
 * and inverted gamma.
 * Thick slices lose nothing by being turned within their plane, and are few.
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
  const scale = scales ? aroundOne(random, recipe.scale) : 1;
  const changes = Array.from({ length: channels }, () => drawChange(random, recipe));
  return {
    ...((rotates || scales) && { matrix: turningMatrix(angles, [inPlane ? 1 : scale, scale, scale], spacing) }),
    ...(changes.some(changesAnything) && { intensities: changes }),
  };
}

/** Whether rotating out of the plane would mix thick slices, or turn most of a flat patch out of its case. */
function isAnisotropic(spacing: Triple, patch: Triple, recipe: Recipe['augmentation']): boolean {
  return (
    spacing[0] > recipe.thick_slices * Math.min(spacing[1], spacing[2]) ||
    Math.max(patch[1], patch[2]) > recipe.thick_slices * patch[0]
  );
}

function drawChange(random: Random, recipe: Recipe['augmentation']): IntensityChange {
  const sometimes = (value: () => number, otherwise: number): number =>
    random.uniform() < recipe.intensity ? value() : otherwise;
  return {
    noise: { deviation: sometimes(() => Math.sqrt(between(random, recipe.noise)), 0), seed: random.integer(2 ** 31) },
    brightness: sometimes(() => between(random, recipe.brightness), 1),
    contrast: sometimes(() => aroundOne(random, recipe.contrast), 1),
    gamma: sometimes(() => aroundOne(random, recipe.gamma), 1),
  };
}

function changesAnything({ noise, brightness, contrast, gamma }: IntensityChange): boolean {
  return noise.deviation > 0 || brightness !== 1 || contrast !== 1 || gamma !== 1;
}

/** From the smallest to the largest. */
type Range = readonly [number, number];

/** As often below 1 as above it. */
const aroundOne = (random: Random, [low, high]: Range): number =>
  random.uniform() < 0.5 ? between(random, [low, 1]) : between(random, [1, high]);

const between = (random: Random, [low, high]: Range): number => low + (high - low) * random.uniform();

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

/** The matrix of a patch that is mirrored along the width besides. */
export function mirrored(matrix: Matrix): Matrix {
  return mapMatrix((row, column) => (column === 2 ? -matrix[row][column] : matrix[row][column]));
}
