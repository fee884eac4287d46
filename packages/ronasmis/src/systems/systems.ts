import { ronasmis, ronasmisPaper } from './ronasmis/ronasmis.ts';
import type { System } from './system.ts';

/** What can be compared, by its name. */
export const systems: readonly System[] = [ronasmis, ronasmisPaper];

/** The system of this name; undefined where there is none. */
export function systemCalled(name: string): System | undefined {
  return systems.find((system) => system.name === name);
}
