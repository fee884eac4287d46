import type { Triple } from '../base/geometry.ts';
import type { Random } from '../base/random.ts';
import type { IntensityChange } from './intensities.ts';
import type { Matrix } from './resample.ts';

/** How a crop is changed beyond its flip: plain data, all chance drawn. */
export interface Augmentation {
  /** Rotation and scaling, from steps in the patch to steps in the case, in voxels; none where the crop stays straight. */
  readonly matrix?: Matrix;
  /** Of each channel; none where no intensity changes. */
  readonly intensities?: readonly IntensityChange[];
}

// What is nnU-Net's here is of Isensee et al. 2021, supplement 4; scripts of other versions have slightly other numbers.

/** One crop in so many is drawn around a labelled voxel (nnU-Net). */
export const FOREGROUND_EVERY = 3;
/** Share of the crops that are mirrored along the width; the only augmentation of RONASMIS as published. */
export const FLIP_SHARE = 0.5;
/** Share of the crops that are rotated, and of those that are scaled (nnU-Net). */
const SPATIAL_SHARE = 0.2;
/** The same where slices are thick, which lose nothing by being turned within their plane, and are few: more of it over-fits later (docs/search.md). */
const SPATIAL_SHARE_IN_PLANE = 0.6;
/** Largest angle around each axis, in radians (nnU-Net). */
const LARGEST_ANGLE = Math.PI / 6;
/** Within the plane of thick slices, in radians: any (nnU-Net). */
const LARGEST_ANGLE_IN_PLANE = Math.PI;
/** Slices that are so many times as thick as a voxel is wide, or so many times fewer than these, are not mixed (nnU-Net). */
const ANISOTROPIC = 3;
/** Smallest and largest factor of the steps from voxel to voxel: a scan shrinks by more than 1 (nnU-Net). */
const SCALE = [0.7, 1.4] as const;
/** Share of the channels to which each of the four changes of intensities is made (nnU-Net). */
const INTENSITY_SHARE = 0.15;
/** Variance of Gaussian noise, in squared standard deviations of the channel, which is z-scored (nnU-Net). */
const NOISE_VARIANCE = [0, 0.1] as const;
/** Factor of all values (nnU-Net). */
const BRIGHTNESS = [0.7, 1.3] as const;
/** Factor of the distances from the mean (nnU-Net). */
const CONTRAST = [0.65, 1.5] as const;
/** Exponent of the values scaled to 0 to 1 (nnU-Net). */
const GAMMA = [0.7, 1.5] as const;

/**
 * Draws the augmentation of a crop: a lighter form of nnU-Net's (Isensee et al. 2021, supplement 4), without blur, lower resolution
 * and inverted gamma.
 *
 * @param spacing [depth, height, width] in millimetres
 * @param patch [depth, height, width] in voxels
 */
export function drawAugmentation(random: Random, channels: number, spacing: Triple, patch: Triple): Augmentation {
  const inPlane = isAnisotropic(spacing, patch);
  const share = inPlane ? SPATIAL_SHARE_IN_PLANE : SPATIAL_SHARE;
  const rotates = random.uniform() < share;
  const largest = inPlane ? LARGEST_ANGLE_IN_PLANE : LARGEST_ANGLE;
  const angle = (): number => (rotates ? between(random, [-largest, largest]) : 0);
  const angles: Triple = inPlane ? [angle(), 0, 0] : [angle(), angle(), angle()];
  const scales = random.uniform() < share;
  const scale = scales ? aroundOne(random, SCALE) : 1;
  const changes = Array.from({ length: channels }, () => drawChange(random));
  return {
    ...((rotates || scales) && { matrix: turningMatrix(angles, [inPlane ? 1 : scale, scale, scale], spacing) }),
    ...(changes.some(changesAnything) && { intensities: changes }),
  };
}

/** Whether rotating out of the plane would mix thick slices, or turn most of a flat patch out of its case. */
function isAnisotropic(spacing: Triple, patch: Triple): boolean {
  return (
    spacing[0] > ANISOTROPIC * Math.min(spacing[1], spacing[2]) || Math.max(patch[1], patch[2]) > ANISOTROPIC * patch[0]
  );
}

function drawChange(random: Random): IntensityChange {
  const sometimes = (value: () => number, otherwise: number): number =>
    random.uniform() < INTENSITY_SHARE ? value() : otherwise;
  return {
    noise: { deviation: sometimes(() => Math.sqrt(between(random, NOISE_VARIANCE)), 0), seed: random.integer(2 ** 31) },
    brightness: sometimes(() => between(random, BRIGHTNESS), 1),
    contrast: sometimes(() => aroundOne(random, CONTRAST), 1),
    gamma: sometimes(() => aroundOne(random, GAMMA), 1),
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
