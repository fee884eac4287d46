import { z } from 'zod';
import { reversed, type Triple } from '../base/geometry.ts';
import type { Voxels } from '../base/voxels.ts';
import { type Affine, orientationOf } from './affine.ts';
import { type Grid, gridAt, type Volume } from './volume.ts';

const axisSchema = z.union([z.literal(0), z.literal(1), z.literal(2)]);

/** How the voxel axes x, y, z of a volume come from another's: which of its axes each is, and whether it runs the other way. */
export const turnSchema = z
  .object({
    axes: z.tuple([axisSchema, axisSchema, axisSchema]).readonly(),
    mirrored: z.tuple([z.boolean(), z.boolean(), z.boolean()]).readonly(),
  })
  .readonly();
/** How the voxel axes of one orientation become those of another. */
export type Turn = z.infer<typeof turnSchema>;
type Axis = z.infer<typeof axisSchema>;

export const unturned: Turn = { axes: [0, 1, 2], mirrored: [false, false, false] };

const allAxes = [0, 1, 2] as const;
const pairs = ['RL', 'AP', 'SI'];

/** Whether a text says where three axes point, such as 'RAS'. */
export const isOrientation = (text: string): boolean =>
  text.length === 3 && pairs.every((pair) => [...text].some((letter) => pair.includes(letter)));

/** The turn after which axes that point to `from`, such as 'LPS', point to `to`. */
export function turnBetween(from: string, to: string): Turn {
  const pairOf = (letter: string): string | undefined => pairs.find((pair) => pair.includes(letter));
  const axisOf = (letter: string): Axis => allAxes.find((axis) => pairOf(from[axis]) === pairOf(letter)) ?? 0;
  const [x, y, z] = [...to].map((letter) => ({ axis: axisOf(letter), isMirrored: !from.includes(letter) }));
  return { axes: [x.axis, y.axis, z.axis], mirrored: [x.isMirrored, y.isMirrored, z.isMirrored] };
}

/** The turn after which the voxel axes of a grid point to `orientation`, such as 'RAS'. */
export const turnTo = ({ affine }: Pick<Grid, 'affine'>, orientation: string): Turn =>
  turnBetween(orientationOf(affine), orientation);

/** Two turns, one after the other, as one. */
export function turnTwice(first: Turn, second: Turn): Turn {
  const axis = (at: Axis): Axis => first.axes[second.axes[at]];
  const isMirrored = (at: Axis): boolean => first.mirrored[second.axes[at]] !== second.mirrored[at];
  return { axes: [axis(0), axis(1), axis(2)], mirrored: [isMirrored(0), isMirrored(1), isMirrored(2)] };
}

/** The turn that takes another back. */
export function inverseOf({ axes, mirrored }: Turn): Turn {
  const from = (axis: Axis): Axis => allAxes.find((at) => axes[at] === axis) ?? 0;
  const inverse = [from(0), from(1), from(2)] as const;
  return { axes: inverse, mirrored: [mirrored[inverse[0]], mirrored[inverse[1]], mirrored[inverse[2]]] };
}

/** The same volume with its voxel axes turned: every voxel stays where it is in millimetres. */
export function turnVolume(volume: Volume, turn: Turn): Volume {
  if (changesNothing(turn)) return volume;
  return { ...volume, ...turnGrid(volume, turn), data: turnVoxels(volume.data, volume.shape, turn) };
}

/** The grid of a volume that was turned. */
export function turnGrid(grid: Grid, turn: Turn): Grid {
  const size = reversed(grid.shape);
  const [width, height, depth] = turn.axes.map((axis) => size[axis]);
  return gridAt([depth, height, width], grid.channels, turnAffine(grid.affine, size, turn));
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
 * @param data `[channel, depth, height, width]`
 * @param shape `[depth, height, width]` of `data`
 */
export function turnVoxels(data: Voxels, shape: Triple, { axes, mirrored }: Turn): Voxels {
  const size = reversed(shape);
  const steps = [1, size[0], size[0] * size[1]];
  const step = axes.map((axis, at) => (mirrored[at] ? -steps[axis] : steps[axis]));
  const first = axes.reduce<number>((sum, axis, at) => sum + (mirrored[at] ? steps[axis] * (size[axis] - 1) : 0), 0);
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
