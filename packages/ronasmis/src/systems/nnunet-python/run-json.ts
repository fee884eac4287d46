import { flatLevelsFor } from '../../architecture/dimensions.ts';
import { VERSION } from '../../base/version.ts';
import type { DataSet } from '../../data/dataset.ts';
import type { Fingerprint } from '../../data/fingerprint.ts';
import { zScore } from '../../data/normalisation.ts';
import { nnunetRecipe } from '../../recipe/nnunet.ts';
import { type RunRecord, recordDimensions } from '../../run/run-record.ts';
import { recordSettings, trainingSettings } from '../../search/options.ts';
import type { SystemOptions } from '../system.ts';
import type { NnunetPlan } from './plan.ts';

/** As `run.json` calls the system. */
export const systemName = 'nnunet-python';

/** What a run of nnU-Net is known by once it has planned. */
interface Begun {
  readonly options: SystemOptions;
  readonly dataSet: DataSet;
  readonly fingerprint: Fingerprint;
  readonly plan: NnunetPlan;
  readonly engine: RunRecord['engine'];
}

/**
 * `run.json` of a run whose network nnU-Net trains: by it, the network is run here as it was trained. nnU-Net turns no scan, so no orientation is
 * said; its spacing and normalisation are those of its plan, which knows no test case.
 */
export function runJson({ options, dataSet, fingerprint, plan, engine }: Begun): RunRecord {
  const { architecture, spacing, normalisations } = plan;
  const { channels, labels, regions } = dataSet;
  const recipe = { ...nnunetRecipe, training: { ...nnunetRecipe.training, batch_dice: plan.batchDice } };
  const { from: _, python: __, ...known } = options;
  const settings = recordSettings(
    trainingSettings(architecture, { ...known, system: systemName, recipe, augment: 'on', isTestedElsewhere: true }),
  );
  const why = whyNotHere(dataSet, plan);
  return {
    version: VERSION,
    created: new Date().toISOString(),
    settings: { ...settings, own_program: true },
    engine,
    recipe,
    network: recordDimensions({
      channels: architecture.features,
      inputChannels: channels.length,
      classes: labels.length,
      flatLevels: flatLevelsFor(spacing, recipe.network),
    }),
    labels,
    regions,
    normalisation: normalisations.map((normalisation) => normalisation ?? zScore),
    channel_files: dataSet.channelFiles,
    spacing,
    fingerprint: { ...fingerprint },
    ...(why !== undefined && { not_run_here: why }),
  };
}

/** Why the network can't be run here, in a sentence; undefined where it can. */
function whyNotHere({ regions, channels }: DataSet, { normalisations }: NnunetPlan): string | undefined {
  if (regions.length > 0) return 'nnU-Net has trained it on regions, of which each has a probability of its own';
  const other = normalisations.indexOf(undefined);
  if (other < 0) return undefined;
  return `nnU-Net normalises channel '${channels[other]}' in a way that is not known here`;
}
