import { readFile } from 'node:fs/promises';
import type { UNet } from '../../architecture/unet.ts';
import { UserError } from '../../base/errors.ts';
import type { Triple } from '../../base/geometry.ts';
import { parseJson } from '../../base/json.ts';
import { maskedZScore, type Normalisation, zScore } from '../../data/normalisation.ts';
import { networkOfPlan } from '../nnunet/layout.ts';
import { type Configuration, type Plans, plansSchema } from '../nnunet/plans.ts';
import { configuration } from './folders.ts';

/** What of nnU-Net's plan its network can be run by here. */
export interface NnunetPlan {
  readonly architecture: UNet;
  /** Whether the Dice loss takes a batch for one volume. */
  readonly batchDice: boolean;
  /** Millimetres of the network's voxels, `[depth, height, width]`. */
  readonly spacing: Triple;
  /** Of each channel; undefined for one that is normalised as nothing is here. */
  readonly normalisations: readonly (Normalisation | undefined)[];
}

/**
 * What nnU-Net has planned, with its axes as scans have them: nnU-Net may turn these.
 * @param file its plans
 * @throws UserError where they are of another form
 */
export async function readPlan(file: string): Promise<NnunetPlan> {
  const otherForm = (why: string): UserError =>
    new UserError(`${file}: this nnU-Net plans networks of another form (${why}). Install nnunetv2 2.8.1.`);
  const plans = parseJson(await readFile(file, 'utf8'), plansSchema, ([why]) => otherForm(why));
  const planned = plans.configurations[configuration];
  if (planned === undefined)
    throw new UserError(
      'nnU-Net plans no network of three dimensions for these scans, which are of one slice: leave out nnunet-python.',
    );
  const architecture = networkOfPlan(planned, plans);
  if (architecture.encoder.block !== 'convolutions') throw otherForm('residual blocks');
  const [depth, height, width] = plans.transpose_backward.map((axis) => planned.spacing[axis]);
  return {
    architecture,
    batchDice: planned.batch_dice,
    spacing: [depth, height, width],
    normalisations: normalisationsOf(planned, plans),
  };
}

function normalisationsOf(
  { normalization_schemes: schemes, use_mask_for_norm: masked }: Configuration,
  { foreground_intensity_properties_per_channel: intensities }: Plans,
): NnunetPlan['normalisations'] {
  return schemes.map((scheme, channel) => {
    if (scheme === 'ZScoreNormalization') return masked[channel] ? maskedZScore : zScore;
    if (scheme !== 'CTNormalization') return undefined;
    const { percentile_00_5: low, percentile_99_5: high, mean, std } = intensities[String(channel)];
    return { kind: 'data_set', low, high, mean, deviation: std };
  });
}
