import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { removeSmallComponents, scatteredClasses, smallComponents } from '../../src/preparation/components.ts';

/** Volumes, and what SciPy finds of their classes' components that have less than half the voxels of the largest (components.py). */
const reference: readonly { readonly shape: Triple; readonly labels: string; readonly small: string }[] = JSON.parse(
  readFileSync(new URL('../reference/components.json', import.meta.url), 'utf8'),
);

function maskOf(labels: ArrayLike<number>, shape: Triple): Uint8Array {
  const mask = new Uint8Array(labels.length);
  for (const { first, end } of smallComponents(labels, shape)) mask.fill(1, first, end);
  return mask;
}

describe('smallComponents', () => {
  it.each(reference)('finds what SciPy does in $shape', ({ shape, labels, small }) => {
    expect([...maskOf(Uint8Array.from(labels, Number), shape)].join('')).toBe(small);
  });

  it('leaves the components of each class that have half the voxels of its largest or more', () => {
    const volumes = fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 7 }))
      .chain((shape) => {
        const size = { minLength: voxelsOf(shape), maxLength: voxelsOf(shape) };
        return fc.tuple(fc.constant(shape), fc.array(fc.constantFrom(0, 0, 1, 2), size));
      });
    fc.assert(
      fc.property(volumes, ([shape, values]) => {
        const labels = Uint8Array.from(values);
        const kept = removeSmallComponents(labels, shape, [1, 2]);
        for (const label of [1, 2]) {
          const [before, after] = [labels, kept].map((all) => componentSizes(all, shape, label));
          expect(after).toEqual(before.filter((size) => size >= Math.max(...before) / 2));
        }
        expect(removeSmallComponents(kept, shape, [1, 2])).toEqual(kept);
      }),
    );
  });

  it('leaves the classes alone that are not named', () => {
    const labels = Uint8Array.of(1, 0, 1, 1, 1, 2, 2, 2, 0, 2);
    expect(removeSmallComponents(labels, [1, 1, 10], [1])).toEqual(Uint8Array.of(0, 0, 1, 1, 1, 2, 2, 2, 0, 2));
    expect(removeSmallComponents(labels, [1, 1, 10], [])).toEqual(labels);
  });
});

it('calls scattered what has more than a stray voxel in small components', () => {
  const row = (...sizes: readonly number[]) => sizes.flatMap((size) => [...new Array<number>(size).fill(3), 0]);
  const scattered = (...sizes: readonly number[]) => scatteredClasses(row(...sizes), [1, 1, row(...sizes).length]);
  expect(scattered(200)).toEqual([]);
  // Two of a size are one piece each, as kidneys are: nothing of them would be removed.
  expect(scattered(100, 60)).toEqual([]);
  expect(scattered(198, 2)).toEqual([]);
  expect(scattered(100, 40)).toEqual([3]);
  expect(scattered(200, 2, 1)).toEqual([3]);
});

/** By filling from every voxel that is left. */
function componentSizes(labels: Uint8Array, [depth, height, width]: Triple, label: number): readonly number[] {
  const left = new Set([...labels.keys()].filter((voxel) => labels[voxel] === label));
  const sizes: number[] = [];
  for (const seed of left) {
    const open = [seed];
    left.delete(seed);
    let size = 0;
    for (let voxel = open.pop(); voxel !== undefined; voxel = open.pop()) {
      size++;
      const [z, y, x] = [Math.floor(voxel / (height * width)), Math.floor(voxel / width) % height, voxel % width];
      for (let near = 0; near < 27; near++) {
        const [a, b, c] = [z + Math.floor(near / 9) - 1, y + (Math.floor(near / 3) % 3) - 1, x + (near % 3) - 1];
        if (a < 0 || b < 0 || c < 0 || a >= depth || b >= height || c >= width) continue;
        const neighbour = (a * height + b) * width + c;
        if (left.delete(neighbour)) open.push(neighbour);
      }
    }
    sizes.push(size);
  }
  return sizes;
}
