import { alone } from '../../src/ranks/team.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import type { SearchContext } from '../../src/search/context.ts';
import { macroSpace } from '../../src/space/macro.ts';

/** Five narrow levels, for tests that need a network but not a good one. */
const dimensions = { inputChannels: 1, classes: 3, channels: [2, 3, 4, 4, 4], flatLevels: 0 };

/** What a search works with, on volumes of 16 voxels along each axis; without any case. */
export const tinyContext: SearchContext = {
  team: alone,
  device: 'cpu',
  precision: 'fp32',
  recipe: defaultRecipe,
  dimensions,
  space: macroSpace([16, 16, 16], dimensions),
  batchVoxels: 16 ** 3,
  cases: [],
  split: { training: [], validation: [], test: [] },
  labelValues: [0, 2, 5],
  scored: [
    { name: '2', classes: [1] },
    { name: '5', classes: [2] },
  ],
  ignoredValue: undefined,
  children: 2,
};
