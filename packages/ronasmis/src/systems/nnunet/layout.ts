import type { UNet } from '../../architecture/architecture.ts';
import { UserError } from '../../base/errors.ts';
import type { Triple } from '../../base/geometry.ts';
import { readDataSet } from '../../data/dataset.ts';
import type { SearchHooks } from '../../search/search.ts';
import type { SystemOptions } from '../system.ts';
import { planInputsOf } from './fingerprint.ts';
import { planNnunet } from './plan.ts';
import type { Configuration, Plans } from './plans.ts';
import type { PresetName } from './presets.ts';

/** What nnU-Net's plan says of a network at full resolution. */
export interface PlannedNetwork {
  /** Its axes are those of the prepared volumes, `[depth, height, width]`, not of the plan where that transposes them. */
  readonly architecture: UNet;
  /** Whether the Dice loss takes a batch for one volume. */
  readonly batchDice: boolean;
}

/** nnU-Net's plan for a data set, and the network that it plans for full resolution. @throws UserError for what is wrong with the data set */
export async function planNetwork(
  { dataSet: folder, labelFolder }: Pick<SystemOptions, 'dataSet' | 'labelFolder'>,
  preset: PresetName,
  { onProgress }: SearchHooks,
): Promise<PlannedNetwork> {
  const dataSet = await readDataSet(folder, labelFolder);
  const inputs = await planInputsOf(dataSet, (done, total) => onProgress?.({ phase: 'prepare', step: 0, done, total }));
  const plans = planNnunet({ ...inputs, preset });
  const { '3d_fullres': full } = plans.configurations;
  if (full === undefined) {
    throw new UserError(
      `${folder}: its scans are of one slice, for which nnU-Net plans no network of three dimensions.`,
    );
  }
  return { architecture: networkOfPlan(full, plans), batchDice: full.batch_dice };
}

/** The network of a configuration of three dimensions. */
export function networkOfPlan(
  { patch_size, batch_size, architecture }: Configuration,
  { transpose_backward: order }: Pick<Plans, 'transpose_backward'>,
): UNet {
  const { arch_kwargs: kwargs } = architecture;
  const [depth, height, width] = backward(patch_size, order);
  const isResidual = 'n_blocks_per_stage' in kwargs;
  return {
    kind: 'unet',
    patch: { depth, height, width },
    batch: batch_size,
    features: kwargs.features_per_stage,
    kernels: kwargs.kernel_sizes.map((size) => edgesOf(backward(size, order))),
    strides: kwargs.strides.map((stride) => backward(stride, order)),
    encoder: {
      block: isResidual ? 'residual' : 'convolutions',
      counts: isResidual ? kwargs.n_blocks_per_stage : kwargs.n_conv_per_stage,
    },
    decoder: { block: 'convolutions', counts: kwargs.n_conv_per_stage_decoder.toReversed() },
  };
}

/** From the axes of a plan to those of the files. */
const backward = (values: readonly number[], [first, second, third]: readonly number[]): Triple => [
  values[first],
  values[second],
  values[third],
];

/** Kernels are of 1 or 3 voxels along an axis. */
function edgesOf([depth, height, width]: Triple): UNet['kernels'][number] {
  const edge = (size: number): 1 | 3 => (size === 1 ? 1 : 3);
  return [edge(depth), edge(height), edge(width)];
}
