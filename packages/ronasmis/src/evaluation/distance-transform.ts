import type { Box } from './mask.ts';

/**
 * Exact squared Euclidean distance, in square millimetres, of every voxel to the nearest voxel that is set.
 * Felzenszwalb & Huttenlocher, "Distance Transforms of Sampled Functions" (2012): one pass of one-dimensional lower
 * envelopes of parabolas along each axis, in linear time.
 * @param seeds [depth, height, width], non-zero where the distance is 0
 * @param spacing millimetres along [depth, height, width]
 * @returns [depth, height, width]; Infinity everywhere when nothing is set
 */
export function squaredDistances(seeds: Uint8Array, shape: Box['shape'], spacing: readonly number[]): Float64Array {
  const [depth, height, width] = shape;
  const distances = new Float64Array(seeds.length);
  for (let voxel = 0; voxel < seeds.length; voxel++) distances[voxel] = seeds[voxel] === 0 ? Infinity : 0;
  const pass = createPass(Math.max(depth, height, width));
  for (let row = 0; row < depth * height; row++) pass(distances, row * width, 1, width, spacing[2]);
  for (let plane = 0; plane < depth; plane++) {
    for (let x = 0; x < width; x++) pass(distances, plane * height * width + x, width, height, spacing[1]);
  }
  for (let pixel = 0; pixel < height * width; pixel++) pass(distances, pixel, height * width, depth, spacing[0]);
  return distances;
}

/** One-dimensional transform in place of `count` values, `stride` apart, `spacing` millimetres between neighbours. */
type Pass = (values: Float64Array, start: number, stride: number, count: number, spacing: number) => void;

function createPass(longest: number): Pass {
  const line = new Float64Array(longest); // the values before this pass
  const vertices = new Int32Array(longest); // which parabolas are in the lower envelope
  const bounds = new Float64Array(longest + 1); // from where on each of them is the lowest, millimetres

  return (values, start, stride, count, spacing) => {
    let last = -1; // index of the last parabola of the envelope
    for (let i = 0; i < count; i++) {
      const height = values[start + i * stride];
      line[i] = height;
      if (height === Infinity) continue; // an infinitely high parabola is never the lowest
      const position = i * spacing;
      let bound = -Infinity;
      while (last >= 0) {
        const other = vertices[last] * spacing;
        bound = (height + position ** 2 - (line[vertices[last]] + other ** 2)) / (2 * (position - other));
        if (bound > bounds[last]) break;
        last--;
        bound = -Infinity;
      }
      last++;
      vertices[last] = i;
      bounds[last] = bound;
    }
    if (last < 0) return;
    bounds[last + 1] = Infinity;
    for (let i = 0, lowest = 0; i < count; i++) {
      const position = i * spacing;
      while (bounds[lowest + 1] < position) lowest++;
      values[start + i * stride] = (position - vertices[lowest] * spacing) ** 2 + line[vertices[lowest]];
    }
  };
}
