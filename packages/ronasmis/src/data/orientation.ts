import { type Affine, orientationOf, spacingOf, type Triple } from './affine.ts';
import type { Voxels } from './nifti-types.ts';
import type { Volume } from './volume.ts';

/** How the voxel axes x, y, z of a volume come from another's: which of its axes each is, and whether it runs the other way. */
export interface Turn {
  readonly axes: Triple;
  readonly mirrored: readonly [boolean, boolean, boolean];
}

const pairs = ['RL', 'AP', 'SI'];

/** Whether a text says where three axes point, such as 'RAS'. */
export const isOrientation = (text: string): boolean =>
  text.length === 3 && pairs.every((pair) => [...text].some((letter) => pair.includes(letter)));

/** The turn after which axes that point to `from`, such as 'LPS', point to `to`. */
export function turnBetween(from: string, to: string): Turn {
  const pairOf = (letter: string): string | undefined => pairs.find((pair) => pair.includes(letter));
  const turned = [...to].map((letter) => {
    const axis = [...from].findIndex((other) => pairOf(other) === pairOf(letter));
    return { axis, isMirrored: from[axis] !== letter };
  });
  const [x, y, z] = turned;
  return { axes: [x.axis, y.axis, z.axis], mirrored: [x.isMirrored, y.isMirrored, z.isMirrored] };
}

/** The same volume with its voxel axes x, y, z pointing to `orientation`, such as 'RAS': every voxel stays where it is in millimetres. */
export function turnVolume(volume: Volume, orientation: string): Volume {
  const turn = turnBetween(orientationOf(volume.affine), orientation);
  if (changesNothing(turn)) return volume;
  const [x, y, z, ...others] = volume.shape;
  const size: Triple = [x, y ?? 1, z ?? 1];
  const affine = turnAffine(volume.affine, size, turn);
  return {
    ...volume,
    shape: [...turn.axes.map((axis) => size[axis]), ...others],
    spacing: spacingOf(affine),
    affine,
    data: turnVoxels(volume.data, size, turn),
  };
}

function changesNothing({ axes, mirrored }: Turn): boolean {
  return axes.every((axis, at) => axis === at) && !mirrored.includes(true);
}

function turnAffine(affine: Affine, size: Triple, { axes, mirrored }: Turn): Affine {
  return affine.map((row) => {
    const steps = axes.map((axis, at) => (mirrored[at] ? -row[axis] : row[axis]));
    const start = axes.reduce((sum, axis, at) => sum + (mirrored[at] ? row[axis] * (size[axis] - 1) : 0), row[3]);
    return [steps[0], steps[1], steps[2], start] as const;
  });
}

/**
 * Voxels in the order of the turned axes, of the same type.
 * @param data x fastest, then y, z, and whatever further dimensions there are
 * @param size of `data` along x, y, z
 */
export function turnVoxels(data: Voxels, size: Triple, { axes, mirrored }: Turn): Voxels {
  const steps = [1, size[0], size[0] * size[1]];
  const step = axes.map((axis, at) => (mirrored[at] ? -steps[axis] : steps[axis]));
  const first = axes.reduce((sum, axis, at) => sum + (mirrored[at] ? steps[axis] * (size[axis] - 1) : 0), 0);
  const [width, height, depth] = axes.map((axis) => size[axis]);
  const turned = data.slice();
  let to = 0;
  for (let volume = first; to < data.length; volume += width * height * depth) {
    for (let z = 0; z < depth; z++) {
      for (let y = 0; y < height; y++) {
        let from = volume + z * step[2] + y * step[1];
        for (let x = 0; x < width; x++, from += step[0]) turned[to++] = data[from];
      }
    }
  }
  return turned;
}
