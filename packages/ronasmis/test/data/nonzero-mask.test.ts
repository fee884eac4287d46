import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { nonzeroMask } from '../../src/data/nonzero-mask.ts';

it('has what is not 0 in any channel, and what that encloses by faces, as binary_fill_holes of SciPy does', () => {
  const shape: Triple = [5, 5, 5];
  const at = (z: number, y: number, x: number): number => (z * 5 + y) * 5 + x;
  const image = new Float32Array(250);
  // A shell of the first channel, three voxels wide, whose lid is of the second one.
  for (const z of [1, 2, 3]) for (const y of [1, 2, 3]) for (const x of [1, 2, 3]) image[at(z, y, x)] = 1;
  image[at(2, 2, 2)] = 0;
  image[at(1, 2, 2)] = 0;
  image[125 + at(1, 2, 2)] = -1;
  // Gone, an edge lets nothing through: the hole touches it by edges alone.
  image[at(1, 1, 2)] = 0;
  const mask = nonzeroMask(image, shape);
  expect(mask[at(2, 2, 2)]).toBe(1);
  expect(mask[at(1, 1, 2)]).toBe(0);
  expect(mask.reduce((sum, one) => sum + one, 0)).toBe(26);
  // Without its lid it is a bay.
  image[125 + at(1, 2, 2)] = 0;
  expect(nonzeroMask(image, shape).reduce((sum, one) => sum + one, 0)).toBe(24);
});

it('leaves outside what a path of zeros leads to from the border, and nothing else', () => {
  const edge = fc.integer({ min: 1, max: 5 });
  const drawn = fc
    .tuple(edge, edge, edge)
    .chain((shape) =>
      fc.tuple(fc.constant(shape), fc.array(fc.nat(1), { minLength: voxelsOf(shape), maxLength: voxelsOf(shape) })),
    );
  fc.assert(
    fc.property(drawn, ([shape, values]) => {
      const mask = nonzeroMask(Float32Array.from(values), shape);
      // Grown by one voxel at a time from the border, until nothing is added.
      const [, height, width] = shape;
      const place = (voxel: number): Triple => [
        Math.floor(voxel / (height * width)),
        Math.floor(voxel / width) % height,
        voxel % width,
      ];
      const near = (one: Triple, other: Triple): boolean =>
        one.reduce((sum, value, axis) => sum + Math.abs(value - other[axis]), 0) === 1;
      const zeros = values.flatMap((value, voxel) => (value === 0 ? [place(voxel)] : []));
      const reached = new Set(zeros.filter((voxel) => voxel.some((x, axis) => x === 0 || x === shape[axis] - 1)));
      let before = -1;
      while (reached.size > before) {
        before = reached.size;
        for (const voxel of zeros) if ([...reached].some((one) => near(one, voxel))) reached.add(voxel);
      }
      const outside = new Set([...reached].map(([z, y, x]) => (z * height + y) * width + x));
      expect([...mask]).toEqual(values.map((_, voxel) => (outside.has(voxel) ? 0 : 1)));
    }),
  );
});
