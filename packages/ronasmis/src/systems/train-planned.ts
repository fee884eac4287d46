import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanNetwork, TrainingOptions } from '../search/options.ts';
import { resume } from '../search/resume.ts';
import { trainArchitecture } from '../search/train-architecture.ts';
import type { System } from './system.ts';

/**
 * How a system whose network is planned, not searched, trains: the network is planned once the scans are read, and trained as any other; or a run
 * that was stopped goes on.
 * @param own what it calls itself, the recipe that its plan begins with, and whether patches are changed beyond mirroring
 */
export const trainPlanned =
  (own: Required<Pick<TrainingOptions, 'system' | 'recipe' | 'augment'>>, plan: PlanNetwork): System['train'] =>
  async ({ from: _, python: __, ...options }, hooks) => {
    if (existsSync(join(options.out, 'run.json'))) await resume(options.out, hooks);
    else await trainArchitecture(plan, { ...options, ...own, isTestedElsewhere: true }, hooks);
  };
