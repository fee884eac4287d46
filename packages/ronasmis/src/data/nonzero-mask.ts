import { type Triple, voxelsOf } from '../base/geometry.ts';

/** What a mask says of a voxel, and what it has for those that are not looked at yet. */
const [outside, inside] = [0, 1];

/**
 * Where an image is not 0 in some channel, or is enclosed by such voxels, as nnU-Net v2 has it (`create_nonzero_mask`): whatever is 0 and can be
 * reached from the border through faces of voxels that are 0 is outside.
 * @param image `[channel, depth, height, width]`
 * @returns `[depth, height, width]`, 1 inside and 0 outside
 */
export function nonzeroMask(image: Float32Array, shape: Triple): Uint8Array {
  const voxels = voxelsOf(shape);
  const mask = new Uint8Array(voxels).fill(inside);
  // Each voxel is put here once at most.
  const reached = new Uint32Array(voxels);
  let count = 0;
  const reach = (voxel: number): void => {
    if (mask[voxel] === outside || !isZeroAt(image, voxel, voxels)) return;
    mask[voxel] = outside;
    reached[count++] = voxel;
  };
  const [depth, height, width] = shape;
  const plane = height * width;
  for (let voxel = 0; voxel < voxels; voxel++) {
    const [z, y, x] = [Math.floor(voxel / plane), Math.floor(voxel / width) % height, voxel % width];
    if (z === 0 || z === depth - 1 || y === 0 || y === height - 1 || x === 0 || x === width - 1) reach(voxel);
  }
  while (count > 0) {
    const voxel = reached[--count];
    const [y, x] = [Math.floor(voxel / width) % height, voxel % width];
    if (voxel >= plane) reach(voxel - plane);
    if (voxel < voxels - plane) reach(voxel + plane);
    if (y > 0) reach(voxel - width);
    if (y < height - 1) reach(voxel + width);
    if (x > 0) reach(voxel - 1);
    if (x < width - 1) reach(voxel + 1);
  }
  return mask;
}

/** Whether an image of so many voxels is 0 in every channel at this one. */
export function isZeroAt(image: Float32Array, voxel: number, voxels: number): boolean {
  for (let i = voxel; i < image.length; i += voxels) if (image[i] !== 0) return false;
  return true;
}
