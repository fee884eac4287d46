import { reversed, type Triple } from '../base/geometry.ts';
import { type Affine, columnOf, toVoxelSteps } from './affine.ts';
import { type Turn, turnGrid, turnVolume, unturned } from './orientation.ts';
import { type Grid, statedSizes, type Volume } from './volume.ts';

/** Corners that lie this close, in voxels along each axis, are in one place: headers are rounded. */
const same = 0.1;
/** Up to here, every voxel is nearest to its own counterpart; half a voxel, by which conventions of the origin differ, is too far however it is rounded. */
const near = 0.499;

const axes = [0, 1, 2] as const;

/** A volume in the voxel order of another one, if it lies where that does. */
export interface Placed {
  /** `same`: on one grid; `near`: it is off by less than half a voxel; `elsewhere`: by more, or it has another size. */
  readonly kind: 'same' | 'near' | 'elsewhere';
  /** With the other's voxel order and affine; unchanged where it lies elsewhere. */
  readonly volume: Volume;
  /** From the voxel order of its file to the other's: how both are turned is decided once, by the other. */
  readonly turn: Turn;
  /** How it differs from the other, in words that follow its name. */
  readonly what: string;
  /** How far its corners lie from the other's, in voxels along an axis; infinite where sizes differ. */
  readonly voxels: number;
}

/** A file that lies beside another one, but near enough to be taken. */
export interface Misplaced extends Pick<Placed, 'what' | 'voxels'> {
  readonly file: string;
}

/** Brings a volume of one channel onto the grid of another, `target`, that belongs to it. */
export function placeOn(volume: Volume, target: Volume): Placed {
  const fitting = [unturned, turnOnto(volume, target)]
    .map((turn) => ({ turn, turned: turnGrid(volume, turn) }))
    .filter(({ turned }) => String(statedSizes(turned)) === String(reversed(target.shape)))
    .map(({ turn, turned }) => ({ turn, ...distanceBetween(turned, target) }));
  if (fitting.length === 0) {
    const [size, wanted] = [statedSizes(volume), reversed(target.shape)].map((sizes) => sizes.join(' x '));
    const what = `its ${size} voxels do not fit the ${wanted} of ${target.file}`;
    return { kind: 'elsewhere', volume, turn: unturned, what, voxels: Infinity };
  }
  const { turn, voxels, millimetres } = fitting.reduce((one, other) => (other.voxels < one.voxels ? other : one));
  const distance = `${millimetres.toPrecision(3)} mm (${voxels.toPrecision(3)} voxels)`;
  const what = `its corners lie up to ${distance} from those of ${target.file}`;
  if (voxels > near) return { kind: 'elsewhere', volume, turn, what, voxels };
  const { affine, spacing } = target;
  const placed = { ...turnVolume(volume, turn), affine, spacing };
  return { kind: voxels > same ? 'near' : 'same', volume: placed, turn, what, voxels };
}

/** The turn after which the axes of a grid run along those of another, each along the one that it is nearest to; none where two are nearest to one. */
function turnOnto({ affine }: Grid, target: Grid): Turn {
  const along = axes.map((axis) => {
    const steps = toVoxelSteps(target.affine, columnOf(affine, axis));
    const nearest = axes.reduce((best, at) => (Math.abs(steps[at]) > Math.abs(steps[best]) ? at : best));
    return { axis, nearest, isMirrored: steps[nearest] < 0 };
  });
  const [x, y, z] = axes.map((axis) => along.find(({ nearest }) => nearest === axis));
  if (!x || !y || !z) return unturned;
  return { axes: [x.axis, y.axis, z.axis], mirrored: [x.isMirrored, y.isMirrored, z.isMirrored] };
}

/** How far corresponding corners of two grids of one size lie apart at most: along an axis of `target`, and in millimetres. No voxel lies further. */
function distanceBetween(grid: Grid, target: Grid): { readonly voxels: number; readonly millimetres: number } {
  const [depth, height, width] = grid.shape;
  const corners = [0, depth - 1].flatMap((z) =>
    [0, height - 1].flatMap((y) => [0, width - 1].map((x): Triple => [x, y, z])),
  );
  const steps = corners.map((corner): Triple => {
    const [from, to] = [placeOf(target.affine, corner), placeOf(grid.affine, corner)];
    return [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  });
  return {
    voxels: Math.max(...steps.flatMap((step) => toVoxelSteps(target.affine, step).map(Math.abs))),
    millimetres: Math.max(...steps.map((step) => Math.hypot(...step))),
  };
}

/** Where a voxel lies, in millimetres. */
function placeOf(affine: Affine, [x, y, z]: Triple): Triple {
  const along = (axis: 0 | 1 | 2): number =>
    affine[axis][0] * x + affine[axis][1] * y + affine[axis][2] * z + affine[axis][3];
  return [along(0), along(1), along(2)];
}
