import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cropMask } from '../../src/evaluation/mask.ts';

it('has 1 where the volume has the label, voxel by voxel of the box', () => {
  const shape = [3, 4, 5] as const;
  const axis = (size: number) =>
    fc
      .tuple(fc.nat({ max: size - 1 }), fc.nat({ max: size - 1 }))
      .map(([a, b]) => ({ first: Math.min(a, b), count: Math.abs(a - b) + 1 }));
  const labels = fc.uint8Array({ min: 0, max: 2, minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(labels, axis(3), axis(4), axis(5), (volume, depth, height, width) => {
      const box = {
        offset: [depth.first, height.first, width.first],
        shape: [depth.count, height.count, width.count],
      } as const;
      const mask = cropMask(volume, 1, shape, box);
      expect(mask).toHaveLength(depth.count * height.count * width.count);
      mask.forEach((value, at) => {
        const x = at % width.count;
        const y = Math.floor(at / width.count) % height.count;
        const z = Math.floor(at / (width.count * height.count));
        const voxel = ((z + depth.first) * 4 + y + height.first) * 5 + x + width.first;
        expect(value).toBe(volume[voxel] === 1 ? 1 : 0);
      });
    }),
  );
});
