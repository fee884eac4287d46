import { expect, it } from 'vitest';
import { patchOf, patchSchema } from '../../src/architecture/patch.ts';

it('a patch is told by depth, height and width, in whole voxels', () => {
  expect(patchOf({ patch: { depth: 8, height: 32, width: 16 } })).toEqual([8, 32, 16]);
  expect(patchSchema.safeParse({ depth: 8, height: 32, width: 0.5 }).success).toBe(false);
  expect(patchSchema.safeParse({ depth: 8, height: 32, width: 16, channels: 1 }).success).toBe(false);
});
