// Where the voxels of one grid lie on another that covers the same extent: as `resample.h` of libtorch's package has it.

/** A place between two voxels: the one above counts `weight`, the one below the rest. */
export interface Between {
  readonly below: number;
  readonly above: number;
  readonly weight: number;
}

/** The place of voxel `index` of `size` along an axis, counted in the `from` voxels of the other grid: -0.5 is its edge. */
export const placeOf = (index: number, size: number, from: number): number => (from / size) * (index + 0.5) - 0.5;

/** The voxel that a place is nearest to. */
export const nearestVoxel = (place: number, from: number): number => within(Math.floor(place + 0.5), from);

/** Of each of `size` voxels, the two of `from` that it lies between; the nearest one alone where `isNearest`. */
export function betweenVoxels(size: number, from: number, isNearest: boolean): readonly Between[] {
  return Array.from({ length: size }, (_, index) => {
    const place = placeOf(index, size, from);
    const below = Math.floor(place);
    const nearest = nearestVoxel(place, from);
    if (isNearest) return { below: nearest, above: nearest, weight: 0 };
    return { below: within(below, from), above: within(below + 1, from), weight: place - below };
  });
}

const within = (voxel: number, count: number): number => Math.min(count - 1, Math.max(0, voxel));
