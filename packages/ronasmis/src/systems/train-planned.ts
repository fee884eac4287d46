import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { resume } from '../search/resume.ts';
import type { SearchHooks } from '../search/search.ts';
import { trainArchitecture } from '../search/train-architecture.ts';
import type { System, SystemOptions } from './system.ts';

/** What a system that searches nothing comes to for a data set. */
export interface Planned {
  readonly architecture: Architecture;
  readonly recipe: Recipe;
  /** Whether patches are changed beyond mirroring. */
  readonly augment: boolean;
}

/**
 * How a system whose network is planned, not searched, trains: the plan is made, which counts to its time, and then the network is trained as
 * any other; or a run that was stopped goes on.
 */
export const trainPlanned =
  (plan: (options: SystemOptions, hooks: SearchHooks) => Promise<Planned>): System['train'] =>
  async ({ from: _, python: __, ...options }, hooks) => {
    if (existsSync(join(options.out, 'run.json'))) {
      await resume(options.out, hooks);
      return;
    }
    const since = performance.now();
    const { architecture, recipe, augment } = await plan(options, hooks);
    const earlierSeconds = (performance.now() - since) / 1000;
    await trainArchitecture(architecture, { ...options, recipe, augment, earlierSeconds }, hooks);
  };
