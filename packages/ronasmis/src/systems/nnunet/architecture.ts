import type { PlannedArchitecture } from './plans.ts';
import type { Preset } from './presets.ts';
import type { Topology } from './topology.ts';

const firstFeatures = 32;
/** Twice as many from stage to stage, up to these; of slices more fit. */
const mostFeatures: Readonly<Record<number, number>> = { 2: 512, 3: 320 };

const plainConvolutions = 2;
/** Residual blocks of the finest stages; those behind have as many as the last. */
const residualBlocks = [1, 3, 4, 6];

const unets = 'dynamic_network_architectures.architectures.unet';

/**
 * The U-Net of a topology, as nnU-Net's plans describe one: of two convolutions a stage, or with an encoder of residual blocks, which leaves its decoder one
 * convolution a stage. Every convolution has an instance norm and a leaky ReLU.
 */
export function architectureOf({ strides, kernels }: Topology, network: Preset['network']): PlannedArchitecture {
  const axes = strides[0].length;
  const features = strides.map((_, stage) => Math.min(mostFeatures[axes], firstFeatures * 2 ** stage));
  const before = {
    n_stages: strides.length,
    features_per_stage: features,
    conv_op: `torch.nn.modules.conv.Conv${axes}d`,
    kernel_sizes: kernels,
    strides,
  };
  const after = {
    conv_bias: true,
    norm_op: `torch.nn.modules.instancenorm.InstanceNorm${axes}d`,
    norm_op_kwargs: { eps: 1e-5, affine: true },
    dropout_op: null,
    dropout_op_kwargs: null,
    nonlin: 'torch.nn.LeakyReLU',
    nonlin_kwargs: { inplace: true },
  };
  const imported = { _kw_requires_import: ['conv_op', 'norm_op', 'dropout_op', 'nonlin'] };
  const decoder = (convolutions: number) => ({ n_conv_per_stage_decoder: features.slice(1).map(() => convolutions) });
  if (network === 'plain') {
    const encoder = { n_conv_per_stage: features.map(() => plainConvolutions) };
    const kwargs = { ...before, ...encoder, ...decoder(plainConvolutions), ...after };
    return { network_class_name: `${unets}.PlainConvUNet`, arch_kwargs: kwargs, ...imported };
  }
  const encoder = {
    n_blocks_per_stage: features.map((_, stage) => residualBlocks[Math.min(stage, residualBlocks.length - 1)]),
  };
  const kwargs = { ...before, ...encoder, ...decoder(1), ...after };
  return { network_class_name: `${unets}.ResidualEncoderUNet`, arch_kwargs: kwargs, ...imported };
}
