import { expect, it } from 'vitest';
import type { UNet } from '../../../src/architecture/architecture.ts';
import { networkOf } from '../../../src/network/of-architecture.ts';
import { overlappedRecipe } from '../../../src/systems/overlapped.ts';
import { residual, unetResnet } from '../../../src/systems/unet-resnet/unet-resnet.ts';

const planned: UNet = {
  kind: 'unet',
  patch: { depth: 20, height: 64, width: 64 },
  batch: 9,
  features: [32, 64, 128, 256, 320, 320],
  kernels: [[1, 3, 3], ...Array<[3, 3, 3]>(5).fill([3, 3, 3])],
  strides: [[1, 1, 1], [1, 2, 2], ...Array<[2, 2, 2]>(2).fill([2, 2, 2]), [1, 2, 2], [1, 2, 2]],
  encoder: { block: 'convolutions', counts: [2, 2, 2, 2, 2, 2] },
  decoder: { block: 'convolutions', counts: [2, 2, 2, 2, 2] },
};

it('has the layout of the plan, a residual block a stage on either side, and a width of its own', () => {
  const network = residual(planned);
  expect(network).toEqual({
    ...planned,
    batch: 2,
    features: [16, 32, 64, 128, 256, 256],
    encoder: { block: 'residual', counts: [1, 1, 1, 1, 1, 1] },
    decoder: { block: 'residual', counts: [1, 1, 1, 1, 1] },
  });
  expect(residual({ ...planned, batch: 1 }).batch).toBe(1);
  const dimensions = { inputChannels: 1, classes: 2, channels: network.features, flatLevels: 0 };
  const shortcuts = networkOf(network, dimensions).parameters.filter(({ name }) => name.includes('shortcut'));
  expect(shortcuts.length).toBeGreaterThan(0);
});

// How it trains and what it leaves is in train-planned.test.ts.
it('is trained and predicts as its traits say', () => {
  const { inference, training } = overlappedRecipe;
  expect([unetResnet.traits.inference, inference.window, inference.tile_weights]).toEqual([
    'overlapped patches',
    'patch',
    'even',
  ]);
  expect([unetResnet.traits.testTimeAugmentation, inference.mirroring]).toEqual([false, false]);
  expect(training.all_cases).toBe(true);
});
