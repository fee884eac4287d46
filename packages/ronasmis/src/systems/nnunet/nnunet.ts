import { nnunetRecipe } from '../../recipe/nnunet.ts';
import type { System } from '../system.ts';
import { trainPlanned } from '../train-planned.ts';
import { planNetwork } from './layout.ts';
import type { PresetName } from './presets.ts';

/**
 * nnU-Net v2 by its rules (Isensee et al. 2021): its plan for the data set at full resolution, its training, its inference. What is not done: its
 * choice among configurations by cross-validation (2D, low resolution, cascade), its ensembles, and its removal of all but the largest component.
 */
export const nnunet: System = nnunetBy('default', { name: 'nnunet', title: 'nnU-Net' });
/** The same with the residual encoder that is planned for GPUs of about 8 GB. */
export const nnunetM: System = nnunetBy('m', { name: 'nnunet-m', title: 'nnU-Net, residual encoder M' });
/** And of about 24 GB. */
export const nnunetL: System = nnunetBy('l', { name: 'nnunet-l', title: 'nnU-Net, residual encoder L' });

function nnunetBy(preset: PresetName, called: Pick<System, 'name' | 'title'>): System {
  return {
    ...called,
    traits: {
      augmentation: 'rotation, scale, mirroring, noise, blur, intensities, resolution',
      ensemble: false,
      testTimeAugmentation: true,
      postProcessing: false,
      inference: 'weighted overlapped patches',
    },
    train: trainPlanned({ system: called.name, recipe: nnunetRecipe, augment: 'on' }, (known) => {
      const { architecture, batchDice, isMasked } = planNetwork(known, preset);
      const training = { ...nnunetRecipe.training, batch_dice: batchDice };
      const augmentation = { ...nnunetRecipe.augmentation, outside_stays_zero: isMasked };
      return { architecture, recipe: { ...nnunetRecipe, training, augmentation } };
    }),
  };
}
