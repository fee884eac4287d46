import { UserError } from '../base/errors.ts';
import { nnunet, nnunetL, nnunetM } from './nnunet/nnunet.ts';
import { nnunetPython } from './nnunet-python/nnunet-python.ts';
import { ronasmis, ronasmisPaper } from './ronasmis/ronasmis.ts';
import { scnas, scnasTransfer } from './scnas/scnas.ts';
import type { System } from './system.ts';
import { unetResnet } from './unet-resnet/unet-resnet.ts';

/** What can be compared, in the order of the paper's Table 2. */
export const systems: readonly System[] = [
  ronasmis,
  ronasmisPaper,
  unetResnet,
  scnas,
  scnasTransfer,
  nnunet,
  nnunetM,
  nnunetL,
  nnunetPython,
];

/** The system of this name; undefined where there is none. */
export function systemCalled(name: string): System | undefined {
  return systems.find((system) => system.name === name);
}

/** The systems of these names, in their order. @throws UserError where there is none of a name */
export function systemsCalled(names: readonly string[]): readonly System[] {
  return names.map((name) => {
    const found = systemCalled(name);
    if (found !== undefined) return found;
    const known = systems.map((system) => system.name).join(', ');
    throw new UserError(`--systems ${name}: there is no such system. Give some of ${known}, with commas between them.`);
  });
}
