import { expect, it } from 'vitest';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { coarseDownsampling } from '../../src/search/resolution.ts';

it.each([
  { patch: [8, 256, 256], flatLevels: 2, downsampling: [1, 2, 2] },
  { patch: [64, 128, 144], flatLevels: 0, downsampling: [2, 2, 2] },
  { patch: [64, 128, 144], flatLevels: 1, downsampling: [1, 2, 2] },
  { patch: [16, 192, 160], flatLevels: 0, downsampling: [1, 2, 2] },
  { patch: [160, 128, 112], flatLevels: 0, downsampling: undefined },
  { patch: [32, 48, 32], flatLevels: 0, downsampling: undefined },
] as const)('patches of $patch voxels are downsampled by $downsampling', ({ patch, flatLevels, downsampling }) => {
  const [depth, height, width] = patch;
  expect(coarseDownsampling({ depth, height, width }, { flatLevels }, defaultRecipe.search)).toEqual(downsampling);
});
