import type { SearchSpace } from '../space/space.ts';
import type { Controller, ControllerName } from './controller.ts';
import { evolutionController } from './evolution.ts';
import { ppoController } from './ppo.ts';
import { randomController } from './random.ts';
import { reinforceController } from './reinforce.ts';

const controllers: Readonly<Record<ControllerName, (space: SearchSpace, seed: number) => Controller>> = {
  reinforce: reinforceController,
  ppo: ppoController,
  random: randomController,
  evolution: evolutionController,
};

/** A fresh controller that proposes children of `space`. `seed` decides its first weights, where it has any. */
export function createController(name: ControllerName, space: SearchSpace, seed: number): Controller {
  return controllers[name](space, seed);
}
