import type { Labels } from './dice.ts';

/** A part of a volume: where it begins and how large it is, in voxels along [depth, height, width]. */
export type Box = {
  readonly offset: readonly [number, number, number];
  readonly shape: readonly [number, number, number];
};

/**
 * The smallest boxes that hold each foreground class of either volume, found in one pass over both.
 * @param shape [depth, height, width]
 */
export function classBoxes(
  prediction: Labels,
  reference: Labels,
  shape: readonly [number, number, number],
): ReadonlyMap<number, Box> {
  const [depth, height, width] = shape;
  const limits = new Map<number, { low: [number, number, number]; high: [number, number, number] }>();
  const grow = (label: number, z: number, y: number, x: number) => {
    const limit = limits.get(label);
    if (limit === undefined) {
      limits.set(label, { low: [z, y, x], high: [z, y, x] });
      return;
    }
    const { low, high } = limit;
    if (z > high[0]) high[0] = z; // z only grows in this pass
    if (y < low[1]) low[1] = y;
    else if (y > high[1]) high[1] = y;
    if (x < low[2]) low[2] = x;
    else if (x > high[2]) high[2] = x;
  };
  for (let z = 0, voxel = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, voxel++) {
        if (prediction[voxel] !== 0) grow(prediction[voxel], z, y, x);
        if (reference[voxel] !== 0) grow(reference[voxel], z, y, x);
      }
    }
  }
  const boxes = [...limits].map(([label, { low, high }]): [number, Box] => [
    label,
    { offset: low, shape: [high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1] },
  ]);
  return new Map(boxes);
}

/** The mask of one class inside a box: 1 where the volume of `shape` has the label. */
export function cropMask(
  labels: Labels,
  label: number,
  shape: readonly [number, number, number],
  box: Box,
): Uint8Array {
  const [depth, height, width] = box.shape;
  const mask = new Uint8Array(depth * height * width);
  for (let z = 0, voxel = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const row = ((z + box.offset[0]) * shape[1] + y + box.offset[1]) * shape[2] + box.offset[2];
      for (let x = 0; x < width; x++, voxel++) mask[voxel] = labels[row + x] === label ? 1 : 0;
    }
  }
  return mask;
}

/**
 * The mask's surface: its voxels with a face neighbour outside of it, i.e. the mask minus its erosion by a 6-connected
 * cross. What lies beyond the box counts as outside.
 */
export function surfaceOf(mask: Uint8Array, shape: Box['shape']): Uint8Array {
  const [depth, height, width] = shape;
  const plane = height * width;
  const surface = new Uint8Array(mask.length);
  for (let z = 0, voxel = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, voxel++) {
        if (mask[voxel] === 0) continue;
        const onBorder = z === 0 || y === 0 || x === 0 || z === depth - 1 || y === height - 1 || x === width - 1;
        const inside =
          !onBorder &&
          mask[voxel - 1] + mask[voxel + 1] + mask[voxel - width] + mask[voxel + width] === 4 &&
          mask[voxel - plane] + mask[voxel + plane] === 2;
        if (!inside) surface[voxel] = 1;
      }
    }
  }
  return surface;
}
