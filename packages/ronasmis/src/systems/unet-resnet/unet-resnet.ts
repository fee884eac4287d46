import type { UNet } from '../../architecture/architecture.ts';
import { planNetwork } from '../nnunet/layout.ts';
import { overlappedRecipe } from '../overlapped.ts';
import type { System } from '../system.ts';
import { trainPlanned } from '../train-planned.ts';

/** Channels of the full resolution, doubled from stage to stage, and of the widest stage. */
const [width, widest] = [16, 256];
/** Patches in a batch: as many as a plan for large memory has, but no more. */
const mostPatches = 2;

/**
 * A fixed 3D U-Net of residual blocks, the first column of the paper's Table 2, which says no more of it than that, overlapped patches and no augmentation. Ours are
 * its layout, which is nnU-Net's plan (strides, kernels, patch), a residual block a stage on either side, its width, and that it is trained as our children are.
 */
export const unetResnet: System = {
  name: 'unet-resnet',
  title: '3D U-ResNet',
  traits: {
    augmentation: null,
    ensemble: false,
    testTimeAugmentation: false,
    postProcessing: false,
    inference: 'overlapped patches',
  },
  train: trainPlanned({ system: 'unet-resnet', recipe: overlappedRecipe, augment: 'off' }, (known) => ({
    architecture: residual(planNetwork(known, 'default').architecture),
    recipe: overlappedRecipe,
  })),
};

/** The residual network of a plan's layout. */
export function residual(planned: UNet): UNet {
  const stages = planned.features.map((_, stage) => Math.min(widest, width * 2 ** stage));
  return {
    ...planned,
    batch: Math.min(mostPatches, planned.batch),
    features: stages,
    encoder: { block: 'residual', counts: stages.map(() => 1) },
    decoder: { block: 'residual', counts: stages.slice(1).map(() => 1) },
  };
}
