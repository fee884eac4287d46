import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Triple, tripleSchema, voxelsOf } from '../base/geometry.ts';
import { countValues, meanAndDeviation, quantile, sum } from '../base/statistics.ts';
import type { Voxels } from '../base/voxels.ts';
import { statedSizes, type Volume } from '../formats/volume.ts';
import type { LoadedCase } from './case.ts';
import type { DataSet } from './dataset.ts';
import { labelSchema } from './label.ts';
import { commonSpacing, shapeAt } from './spacing.ts';

/** What is kept of a case once its volumes are gone: enough for the checks across cases and the fingerprint. */
export interface CaseSummary {
  readonly name: string;
  readonly image: string;
  readonly label: string;
  /** `[depth, height, width]` in voxels. */
  readonly shape: Triple;
  /** `[depth, height, width]` in millimetres. */
  readonly spacing: Triple;
  /** Of the file; what else stands here is of the turned case. */
  readonly orientation: string;
  /** Voxels of each class, by class index. */
  readonly classVoxels: readonly number[];
  /** For each channel, intensities of labelled (foreground) voxels: all of them, or 10,000 spread evenly. */
  readonly intensities: readonly Float32Array[];
  /** The same for scans of the same voxels, however they are stored. */
  readonly voxelsSha256: string;
  /** Of the stored files. */
  readonly imageSha256: string;
  readonly labelSha256: string;
  readonly storedBytes: number;
}

/** Smallest, middle and largest, each axis by itself. */
const spreadSchema = z.object({ min: tripleSchema, median: tripleSchema, max: tripleSchema });
type Spread = z.infer<typeof spreadSchema>;

/** Statistics of one channel's intensities over labelled voxels. */
const intensitiesSchema = z.object({
  mean: z.number(),
  deviation: z.number(),
  min: z.number(),
  percentile005: z.number(),
  median: z.number(),
  percentile995: z.number(),
  max: z.number(),
});
/** Statistics of one channel's intensities over labelled voxels. */
export type Intensities = z.infer<typeof intensitiesSchema>;

/** What a data set is like, as plain JSON. Shapes and spacings are `[depth, height, width]`, in voxels and millimetres. */
export const fingerprintSchema = z
  .object({
    name: z.string(),
    cases: z.int(),
    channels: z.array(z.string()).readonly(),
    labels: z.array(labelSchema).readonly(),
    shape: spreadSchema,
    spacing: spreadSchema,
    /** Where the voxel axes x, y, z point, such as 'RAS', and in how many cases. */
    orientations: z.record(z.string(), z.int()).readonly(),
    /** The one that all cases are turned to, and scans to be segmented: that of most cases. */
    orientation: z.string(),
    /** The one that all cases are resampled to, and scans to be segmented. */
    commonSpacing: tripleSchema,
    /** The median of the cases' shapes at that spacing. */
    commonShape: tripleSchema,
    /** How many cases have another shape at that spacing. */
    resampled: z.int(),
    /** Of each channel over labelled voxels. */
    intensities: z.array(intensitiesSchema).readonly(),
    /** Share of each class in all voxels, by class index. */
    classFractions: z.array(z.number()).readonly(),
    storedBytes: z.int(),
    /** Over names, sizes and contents of the files: another value means other data. */
    sha256: z.string(),
  })
  .readonly();
/** What a data set is like. */
export type Fingerprint = z.infer<typeof fingerprintSchema>;

/** nnU-Net samples as many foreground voxels of a case for its fingerprint. */
const SAMPLED_VOXELS = 10_000;
const HASHED_VOXELS = 2 ** 20;

/** The summary of a case whose image and label have the same shape and whose label values are all listed. */
export function summariseCase(loaded: LoadedCase, { labels, ignoredValue }: DataSet): Omit<CaseSummary, 'orientation'> {
  const { imageVolume, labelVolume } = loaded;
  const counts = countValues(labelVolume.data);
  const sampled = labelledVoxels(labelVolume.data, SAMPLED_VOXELS, ignoredValue);
  const size = labelVolume.data.length;
  return {
    name: loaded.name,
    image: loaded.image,
    label: loaded.label,
    shape: imageVolume.shape,
    spacing: imageVolume.spacing,
    classVoxels: labels.map(({ value }) => counts.get(value) ?? 0),
    intensities: Array.from({ length: imageVolume.channels }, (_, channel) =>
      new Float32Array(sampled.length).map((_, i) => imageVolume.data[channel * size + sampled[i]]),
    ),
    voxelsSha256: hashVoxels(imageVolume),
    imageSha256: loaded.imageSha256,
    labelSha256: loaded.labelSha256,
    storedBytes: loaded.storedBytes,
  };
}

/** Volume of each class, by class index. */
export function classMillilitres({ classVoxels, spacing }: CaseSummary): readonly number[] {
  const cubicMillimetres = spacing[0] * spacing[1] * spacing[2];
  return classVoxels.map((voxels) => (voxels * cubicMillimetres) / 1000);
}

/** Of the shape and of at most a million voxels, spread evenly: more would tell no more scans apart, and take longer. */
function hashVoxels(volume: Volume): string {
  const { data } = volume;
  const step = Math.ceil(data.length / HASHED_VOXELS);
  const values = new Float64Array(Math.ceil(data.length / step)).map((_, i) => data[i * step]);
  return createHash('sha256')
    .update(`${statedSizes(volume)}\n`)
    .update(values)
    .digest('hex');
}

/** The indices of voxels that are neither background nor ignored: all of them, or at most `limit` spread evenly. */
export function labelledVoxels(label: Voxels, limit: number, ignored = 0): Uint32Array {
  let count = 0;
  for (let i = 0; i < label.length; i++) if (label[i] !== 0 && label[i] !== ignored) count++;
  const step = Math.max(1, Math.ceil(count / limit));
  const voxels = new Uint32Array(Math.ceil(count / step));
  let seen = 0;
  for (let i = 0; i < label.length; i++) {
    if (label[i] !== 0 && label[i] !== ignored && seen++ % step === 0) voxels[(seen - 1) / step] = i;
  }
  return voxels;
}

/** The fingerprint of a data set of at least one case. */
export function fingerprint(dataSet: DataSet, summaries: readonly CaseSummary[], orientation: string): Fingerprint {
  const sorted = summaries.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const { name, storedBytes, imageSha256, labelSha256 } of sorted) {
    hash.update(`${name} ${storedBytes} ${imageSha256} ${labelSha256}\n`);
  }
  const voxels = sum(sorted.map(({ shape }) => voxelsOf(shape)));
  const spacing = commonSpacing(sorted);
  const shapes = sorted.map((summary) => shapeAt(summary, spacing));
  return {
    name: dataSet.name,
    cases: sorted.length,
    channels: dataSet.channels,
    labels: dataSet.labels,
    shape: spread(sorted.map(({ shape }) => shape)),
    spacing: spread(sorted.map(({ spacing }) => spacing)),
    orientations: countOf(sorted.map((summary) => summary.orientation)),
    orientation,
    commonSpacing: spacing,
    commonShape: spread(shapes).median,
    resampled: sorted.filter(({ shape }, index) => String(shape) !== String(shapes[index])).length,
    intensities: dataSet.channels.map((_, channel) => pool(sorted.map(({ intensities }) => intensities[channel]))),
    classFractions: dataSet.labels.map((_, index) => sum(sorted.map(({ classVoxels }) => classVoxels[index])) / voxels),
    storedBytes: sum(sorted.map(({ storedBytes }) => storedBytes)),
    sha256: hash.digest('hex'),
  };
}

/** How often each text is there. */
export function countOf(texts: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

function spread(values: readonly Triple[]): Spread {
  const at = (fraction: number): Triple => {
    const axis = (index: number) =>
      quantile(
        values.map((triple) => triple[index]).sort((a, b) => a - b),
        fraction,
      );
    return [axis(0), axis(1), axis(2)];
  };
  return { min: at(0), median: at(0.5), max: at(1) };
}

function pool(parts: readonly Float32Array[]): Intensities {
  const values = new Float32Array(sum(parts.map(({ length }) => length)));
  let offset = 0;
  for (const part of parts) {
    values.set(part, offset);
    offset += part.length;
  }
  values.sort();
  const at = (fraction: number) => quantile(values, fraction);
  const { mean, deviation } = meanAndDeviation(values);
  return {
    mean,
    deviation,
    min: at(0),
    percentile005: at(0.005),
    median: at(0.5),
    percentile995: at(0.995),
    max: at(1),
  };
}
