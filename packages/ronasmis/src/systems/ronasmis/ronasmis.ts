import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { paperRecipe } from '../../recipe/paper.ts';
import { defaultRecipe } from '../../recipe/recipe.ts';
import { resume } from '../../search/resume.ts';
import { type SearchOptions, search } from '../../search/search.ts';
import type { System } from '../system.ts';

/** RONASMIS as it is by default. */
export const ronasmis: System = ronasmisBy(
  { recipe: defaultRecipe },
  { name: 'ronasmis', title: 'RONASMIS', augmentation: 'rotation, scaling, intensities, where it would over-fit' },
);

/** RONASMIS as it was published (Bae et al. 2019), as far as that is known. */
export const ronasmisPaper: System = ronasmisBy(
  { recipe: paperRecipe, system: 'ronasmis-paper' },
  {
    name: 'ronasmis-paper',
    title: 'RONASMIS, as published',
    augmentation: null,
  },
);

function ronasmisBy(
  own: Pick<SearchOptions, 'recipe' | 'system'>,
  { augmentation, ...called }: Pick<System, 'name' | 'title'> & Pick<System['traits'], 'augmentation'>,
): System {
  return {
    ...called,
    traits: {
      augmentation,
      ensemble: false,
      testTimeAugmentation: false,
      postProcessing: false,
      inference: 'one shot',
    },
    train: async ({ from: _, python: __, ...options }, hooks) => {
      if (existsSync(join(options.out, 'run.json'))) await resume(options.out, hooks);
      else await search({ ...options, ...own, isTestedElsewhere: true }, hooks);
    },
  };
}
