import { expect, it } from 'vitest';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { coarseThinning } from '../../src/search/resolution.ts';

it.each([
  { patch: [8, 256, 256], flatLevels: 2, thinning: [1, 2, 2] },
  { patch: [64, 128, 144], flatLevels: 0, thinning: [2, 2, 2] },
  { patch: [64, 128, 144], flatLevels: 1, thinning: [1, 2, 2] },
  { patch: [16, 192, 160], flatLevels: 0, thinning: [1, 2, 2] },
  { patch: [160, 128, 112], flatLevels: 0, thinning: undefined },
  { patch: [32, 48, 32], flatLevels: 0, thinning: undefined },
] as const)('patches of $patch voxels are thinned by $thinning', ({ patch, flatLevels, thinning }) => {
  const [depth, height, width] = patch;
  expect(coarseThinning({ depth, height, width }, { flatLevels }, defaultRecipe.search)).toEqual(thinning);
});
