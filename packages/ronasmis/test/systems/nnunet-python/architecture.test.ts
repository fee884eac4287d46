import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { plannedNetwork } from '../../../src/systems/nnunet-python/architecture.ts';
import { temporaryFolder } from '../../formats/scans.ts';

const folder = await temporaryFolder();

const network = {
  n_stages: 3,
  features_per_stage: [32, 64, 128],
  kernel_sizes: [
    [1, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
  ],
  strides: [
    [1, 1, 1],
    [1, 2, 2],
    [2, 2, 2],
  ],
  n_conv_per_stage: [2, 2, 2],
  n_conv_per_stage_decoder: [1, 2],
};

/** nnU-Net's folder of a model with these plans. */
async function model(name: string, turned: readonly number[], className = 'x.architectures.unet.PlainConvUNet') {
  const configuration = {
    patch_size: [20, 160, 192],
    batch_size: 2,
    architecture: { network_class_name: className, arch_kwargs: network },
  };
  const plans = { transpose_backward: turned, configurations: { '2d': {}, '3d_fullres': configuration } };
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'plans.json'), JSON.stringify(plans));
  return join(folder, name);
}

it('the planned network is one of ours, with the decoder from the full resolution on', async () => {
  expect(await plannedNetwork(await model('straight', [0, 1, 2]))).toEqual({
    kind: 'unet',
    patch: { depth: 20, height: 160, width: 192 },
    batch: 2,
    features: [32, 64, 128],
    kernels: network.kernel_sizes,
    strides: network.strides,
    encoder: { block: 'convolutions', counts: [2, 2, 2] },
    decoder: { block: 'convolutions', counts: [2, 1] },
  });
});

it("axes that nnU-Net has turned are the scan's again", async () => {
  // The thick slices lie along the width: nnU-Net has taken them to the front (transpose_forward is 2, 0, 1).
  expect(await plannedNetwork(await model('turned', [1, 2, 0]))).toMatchObject({
    patch: { depth: 160, height: 192, width: 20 },
    kernels: [
      [3, 3, 1],
      [3, 3, 3],
      [3, 3, 3],
    ],
    strides: [
      [1, 1, 1],
      [2, 2, 1],
      [2, 2, 2],
    ],
  });
});

it('a network of another form is refused with a sentence', async () => {
  const other = await model('other', [0, 1, 2], 'x.architectures.primus.Primus');
  await expect(plannedNetwork(other)).rejects.toThrow(/plans.json: this nnU-Net plans networks of another form/);
});
