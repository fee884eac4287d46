import { join } from 'node:path';
import { allErrors, UserError } from '../errors.ts';
import type { Triple } from './affine.ts';
import { channelsOf, type LoadedCase, type Problem, spatialShape, spatialSpacing } from './case.ts';
import { checkDataSet } from './check.ts';
import { type Crop, cropVolume, foregroundBox } from './crop.ts';
import type { DataSet } from './dataset.ts';
import { IGNORED_CLASS } from './description.ts';
import { makeFolder } from './files.ts';
import { type Fingerprint, labelledVoxels } from './fingerprint.ts';
import { isCt, type Normalisation, normalisationsFor, normalise, zScore } from './normalisation.ts';
import { readGrid } from './read-volume.ts';
import { countValues } from './statistics.ts';
import { type CaseStorage, changeImage, imageSpan, labelSpan, moveToDisk } from './storage.ts';
import type { Volume } from './volume.ts';

/** An image as the network takes it. */
export interface PreparedImage {
  /** `[channel, depth, height, width]`, each channel normalised. */
  readonly image: Float32Array;
  readonly channels: number;
  /** `[depth, height, width]` of the crop. */
  readonly shape: Triple;
  /** `[depth, height, width]` in millimetres. */
  readonly spacing: Triple;
  /** Where the crop lies in the scan. */
  readonly crop: Crop;
}

/** A case as training and validation take it; `imageOf` and `labelOf` give its arrays. */
export interface PreparedCase extends Omit<PreparedImage, 'image'> {
  readonly name: string;
  readonly storage: CaseStorage;
  /** Flat indices into `[depth, height, width]` of labelled voxels: all of them, or 10,000 spread evenly. */
  readonly foreground: Uint32Array;
  /** By class index, labelled voxels outside the crop: they can't be found, yet they count in a Dice. */
  readonly outsideCrop: readonly number[];
}

/** How a data set is prepared. */
export interface PrepareOptions {
  readonly folds: number;
  /** Where raw files go when the cases do not fit into memory. */
  readonly cacheFolder: string;
  /** Bytes that prepared cases may take in memory; by default all that they need. */
  readonly memoryLimitBytes?: number;
  readonly onCase?: (done: number, total: number) => void;
}

/** A data set that is ready for training. */
export interface PreparedDataSet {
  /** In the order of the data set's cases. */
  readonly cases: readonly PreparedCase[];
  readonly fingerprint: Fingerprint;
  /** Of each channel. */
  readonly normalisations: readonly Normalisation[];
  readonly warnings: readonly Problem[];
}

const MAX_FOREGROUND_VOXELS = 10_000;

/**
 * Decodes, checks, crops and normalises every case, once, in shared memory or on disk.
 * @throws UserError that lists the errors found, so that nothing is trained on a data set with any.
 */
export async function prepareDataSet(dataSet: DataSet, options: PrepareOptions): Promise<PreparedDataSet> {
  const { folds, cacheFolder, onCase, memoryLimitBytes = Number.POSITIVE_INFINITY } = options;
  const sizes = await preparedBytes(dataSet);
  const onDisk = sizes.reduce((total, size) => total + size, 0) > memoryLimitBytes;
  if (onDisk) await makeFolder(cacheFolder);
  const prepared = new Map<string, PreparedCase>();
  const { problems, fingerprint } = await checkDataSet(dataSet, {
    folds,
    ...(onCase && { onCase }),
    atOnce: Math.max(1, Math.floor(memoryLimitBytes / (copiesWhileRead * Math.max(1, ...sizes)))),
    visit: async (loaded) => {
      prepared.set(loaded.name, await prepareCase(loaded, dataSet, onDisk ? cacheFolder : undefined));
    },
  });
  const errors = problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  if (errors.length > 0 || fingerprint === undefined) throw allErrors(errors);
  const cases = dataSet.cases.flatMap(({ name }) => prepared.get(name) ?? []);
  const normalisations = normalisationsFor(dataSet.channels, fingerprint.intensities);
  for (const one of cases) normaliseByDataSet(one, normalisations);
  return { cases, fingerprint, normalisations, warnings: problems };
}

/** A case that is read is in memory about so often: as it is stored, decoded and prepared. */
const copiesWhileRead = 3;

/** What each case takes when prepared, before any crop; what cannot be read counts nothing here and is reported later. */
function preparedBytes({ cases }: DataSet): Promise<readonly number[]> {
  return Promise.all(
    cases.map(async ({ images }) => {
      const grid = await readGrid(images[0]).catch(() => undefined);
      if (grid === undefined) return 0;
      const [depth, height, width] = spatialShape(grid);
      return depth * height * width * (4 * channelsOf(grid) * images.length + 1);
    }),
  );
}

/**
 * The image of a scan, cropped to its non-zero voxels and normalised channel by channel, in shared memory.
 * @param normalisations of each channel; where one is left out, the channel is left as it is
 * @throws UserError where a voxel is not a number.
 */
export function prepareImage(volume: Volume, normalisations: readonly (Normalisation | undefined)[]): PreparedImage {
  const channels = channelsOf(volume);
  const shape = spatialShape(volume);
  const box = foregroundBox(volume.data, channels, shape);
  const voxels = box.shape[0] * box.shape[1] * box.shape[2];
  const image = new Float32Array(new SharedArrayBuffer(4 * channels * voxels));
  for (let channel = 0; channel < channels; channel++) {
    const values = image.subarray(channel * voxels, (channel + 1) * voxels);
    cropVolume(volume.data, channel, shape, box, values);
    const normalisation = normalisations[channel];
    if (normalisation && !normalise(values, normalisation)) {
      const what = `channel ${channel} holds voxels that are not numbers (NaN or infinite)`;
      throw new UserError(`${volume.file}: ${what}. Replace them, by 0 for example.`);
    }
  }
  return { image, channels, shape: box.shape, spacing: spatialSpacing(volume), crop: { offset: box.offset, shape } };
}

async function prepareCase(
  { name, imageVolume, labelVolume }: LoadedCase,
  { channels, labels, ignoredValue }: DataSet,
  cacheFolder: string | undefined,
): Promise<PreparedCase> {
  // What is normalised by the data set has to wait until all of it is known.
  const own = channels.map((channel) => (isCt(channel) ? undefined : zScore));
  const { image, ...geometry } = prepareImage(imageVolume, own);
  const values = new Float32Array(image.length / geometry.channels);
  const box = { offset: geometry.crop.offset, shape: geometry.shape };
  cropVolume(labelVolume.data, 0, geometry.crop.shape, box, values);
  const label = new Uint8Array(new SharedArrayBuffer(values.length));
  const classes = labels.map(({ value }, index) => ({ value, index }));
  if (ignoredValue !== undefined) classes.push({ value: ignoredValue, index: IGNORED_CLASS });
  for (const { value, index } of classes) {
    for (let i = 0; i < label.length; i++) if (values[i] === value) label[i] = index;
  }
  const storage: CaseStorage =
    cacheFolder === undefined
      ? { kind: 'memory', image, label }
      : await moveToDisk(join(cacheFolder, name), image, label);
  const all = countValues(labelVolume.data);
  const inside = countValues(values);
  const outsideCrop = labels.map(({ value }, index) =>
    index === 0 ? 0 : (all.get(value) ?? 0) - (inside.get(value) ?? 0),
  );
  return {
    name,
    ...geometry,
    storage,
    foreground: labelledVoxels(label, MAX_FOREGROUND_VOXELS, IGNORED_CLASS),
    outsideCrop,
  };
}

function normaliseByDataSet({ storage, shape }: PreparedCase, normalisations: readonly Normalisation[]): void {
  const voxels = shape[0] * shape[1] * shape[2];
  normalisations.forEach((normalisation, channel) => {
    if (normalisation.kind === 'z_score') return;
    changeImage(storage, channel * voxels, (channel + 1) * voxels, (values) => normalise(values, normalisation));
  });
}

/** The whole image of a prepared case, `[channel, depth, height, width]`. */
export function imageOf({ storage, channels, shape }: PreparedCase): Float32Array {
  return imageSpan(storage, 0, channels * shape[0] * shape[1] * shape[2]);
}

/** The whole label of a prepared case, `[depth, height, width]`, as class indices. */
export function labelOf({ storage, shape }: PreparedCase): Uint8Array {
  return labelSpan(storage, 0, shape[0] * shape[1] * shape[2]);
}
