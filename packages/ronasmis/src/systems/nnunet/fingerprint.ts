import { basename, resolve } from 'node:path';
import { allErrors } from '../../base/errors.ts';
import { type Box, type Triple, voxelsOf } from '../../base/geometry.ts';
import { channelRanges, mean, meanAndDeviation, median, quantile, sum } from '../../base/statistics.ts';
import type { LoadedCase } from '../../data/case.ts';
import { checkDataSet } from '../../data/check.ts';
import { foregroundBox } from '../../data/crop.ts';
import type { DataSet } from '../../data/dataset.ts';
import { endingOf } from '../../formats/endings.ts';
import { type NnunetDataset, type PlanInputs, readerOf } from './plan-inputs.ts';
import type { PlannedIntensities } from './plans.ts';

/** What is kept of a case. */
interface CaseFacts {
  readonly name: string;
  /** `[depth, height, width]` of the crop to what is not zero. */
  readonly shape: Triple;
  readonly spacing: Triple;
  /** Voxels that the crop leaves of the image. */
  readonly relativeSize: number;
  /** Of each channel; none where nothing is labelled. */
  readonly channels: readonly ChannelFacts[];
}

/** Intensities of a channel over the labelled voxels of a case. */
interface ChannelFacts {
  readonly mean: number;
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
  /** As many values of every case, evenly spread over its sorted ones. */
  readonly spread: Float32Array;
}

/** So many intensities of a channel are kept of all cases together. */
const spreadValues = 2 ** 21;

/**
 * The fingerprint of a data set as nnU-Net takes it (`DatasetFingerprintExtractor`), and what its `dataset.json` would say. Scans are cropped to what is not zero in any
 * channel. Every case weighs the same in the intensities, however much is labelled in it: nnU-Net draws as many voxels of each, with replacement; here, mean and
 * deviation are those of all labelled voxels. Scans of another orientation than most are turned first, and impossible intensities clipped, as for any training here.
 * @param onCase told after each case how many are done
 * @throws UserError that lists what is wrong with the data set
 */
export async function planInputsOf(
  dataSet: DataSet,
  onCase?: (done: number, total: number) => void,
): Promise<PlanInputs> {
  const { cases, channels } = dataSet;
  const found = new Map<string, CaseFacts>();
  const spread = Math.ceil(spreadValues / cases.length);
  const { problems } = await checkDataSet(dataSet, {
    folds: Math.min(2, cases.length),
    ...(onCase && { onCase }),
    visit: async (loaded) => {
      found.set(loaded.name, factsOf(loaded, spread));
    },
  });
  const errors = problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  if (errors.length > 0) throw allErrors(errors);
  const facts = cases.flatMap(({ name }) => found.get(name) ?? []);
  const intensities = channels.map((_, channel) => [
    String(channel),
    pooled(facts.flatMap((one) => one.channels[channel] ?? [])),
  ]);
  return {
    fingerprint: {
      shapes_after_crop: facts.map(({ shape }) => shape),
      spacings: facts.map(({ spacing }) => spacing),
      foreground_intensity_properties_per_channel: Object.fromEntries(intensities),
      median_relative_size_after_cropping: median(facts.map(({ relativeSize }) => relativeSize)),
    },
    dataset: datasetOf(dataSet),
  };
}

/** What the `dataset.json` of a data set would say to nnU-Net. */
export function datasetOf({ folder, cases, channels, labels, regions, ignoredValue }: DataSet): NnunetDataset {
  const named = regions.length > 0 ? regions.length + 1 : labels.length;
  return {
    name: basename(resolve(folder)),
    channels,
    classes: named + (ignoredValue === undefined ? 0 : 1),
    cases: cases.length,
    // Files in a format that nnU-Net does not read would be converted to the commonest.
    reader: readerOf(endingOf(cases[0].images[0]) ?? '') ?? readerOf('.nii.gz') ?? '',
  };
}

function factsOf({ name, imageVolume, labelVolume }: LoadedCase, count: number): CaseFacts {
  const { shape, spacing, channels, data } = imageVolume;
  const box = foregroundBox(imageVolume);
  const labelled = labelledWithin(labelVolume, box);
  const size = voxelsOf(shape);
  return {
    name,
    shape: box.shape,
    spacing,
    relativeSize: voxelsOf(box.shape) / size,
    channels: Array.from({ length: labelled.length === 0 ? 0 : channels }, (_, channel) =>
      channelFacts(
        Float32Array.from(labelled, (voxel) => data[channel * size + voxel]),
        count,
      ),
    ),
  };
}

/** Where any label is within the box, what is ignored included: indices into the volume. */
function labelledWithin({ data, shape }: Pick<LoadedCase['labelVolume'], 'data' | 'shape'>, box: Box): Uint32Array {
  const [depth, height, width] = box.shape;
  const voxels = new Uint32Array(voxelsOf(box.shape));
  let count = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const from = ((z + box.offset[0]) * shape[1] + y + box.offset[1]) * shape[2] + box.offset[2];
      for (let x = from; x < from + width; x++) if (data[x] > 0) voxels[count++] = x;
    }
  }
  return voxels.subarray(0, count);
}

function channelFacts(values: Float32Array, count: number): ChannelFacts {
  const { mean, deviation } = meanAndDeviation(values);
  const [{ min, max }] = channelRanges(values, 1);
  values.sort();
  const spread = new Float32Array(count).map((_, i) => values[Math.floor(((i + 0.5) * values.length) / count)]);
  return { mean, deviation, min, max, spread };
}

/** The statistics of all cases, in which each weighs the same. */
function pooled(cases: readonly ChannelFacts[]): PlannedIntensities {
  const values = new Float32Array(sum(cases.map(({ spread }) => spread.length)));
  let offset = 0;
  for (const { spread } of cases) {
    values.set(spread, offset);
    offset += spread.length;
  }
  values.sort();
  const centre = mean(cases.map((one) => one.mean));
  const squares = cases.map((one) => one.deviation ** 2 + (one.mean - centre) ** 2);
  return {
    mean: centre,
    median: quantile(values, 0.5),
    std: Math.sqrt(mean(squares)),
    min: Math.min(...cases.map(({ min }) => min)),
    max: Math.max(...cases.map(({ max }) => max)),
    percentile_99_5: quantile(values, 0.995),
    percentile_00_5: quantile(values, 0.005),
  };
}
