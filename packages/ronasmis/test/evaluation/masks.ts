/** [depth, height, width] */
export type Shape = readonly [number, number, number];

/** Sets the voxels of an axis-aligned ellipsoid: ((z - cz) / rz)^2 + ((y - cy) / ry)^2 + ((x - cx) / rx)^2 <= 1. */
export function drawEllipsoid(volume: Uint8Array, shape: Shape, label: number, center: Shape, radii: Shape): void {
  let voxel = 0;
  for (let z = 0; z < shape[0]; z++) {
    for (let y = 0; y < shape[1]; y++) {
      for (let x = 0; x < shape[2]; x++, voxel++) {
        const [dz, dy, dx] = [(z - center[0]) / radii[0], (y - center[1]) / radii[1], (x - center[2]) / radii[2]];
        if (dz * dz + dy * dy + dx * dx <= 1) volume[voxel] = label;
      }
    }
  }
}

/** Shape of the volumes that the reference values were made with. */
export const SHAPE: Shape = [12, 20, 18];

/** Two overlapping ellipsoids, the second cut into the first; `shift` moves each along another axis. */
export function twoEllipsoids(shift: number): Uint8Array {
  const volume = new Uint8Array(SHAPE[0] * SHAPE[1] * SHAPE[2]);
  drawEllipsoid(volume, SHAPE, 1, [5, 8 + shift, 8], [4, 6, 5]);
  drawEllipsoid(volume, SHAPE, 2, [6, 9, 9 + shift], [2, 3, 3]);
  return volume;
}

/** The reference: shifted by two voxels, with a voxel in the corner and a patch on the volume's border besides. */
export function referenceVolume(): Uint8Array {
  const volume = twoEllipsoids(2);
  volume[0] = 1;
  for (let y = 10; y < 14; y++) {
    for (let x = 14; x < 18; x++) volume[(11 * SHAPE[1] + y) * SHAPE[2] + x] = 2;
  }
  return volume;
}
