import { join } from 'node:path';
import { mapConcurrently } from '../base/concurrency.ts';
import { allErrors, some } from '../base/errors.ts';
import { formatAxes } from '../base/figures.ts';
import { makeFolder, passOn } from '../base/files.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import { median } from '../base/statistics.ts';
import type { LoadedCase } from '../data/case.ts';
import { checkDataSet } from '../data/check.ts';
import { cropLabel } from '../data/cropped-label.ts';
import type { DataSet } from '../data/dataset.ts';
import { IGNORED_CLASS } from '../data/description.ts';
import type { Fingerprint } from '../data/fingerprint.ts';
import { clearOutside, maskFor, type Normalisation, normalisationsFor, normalise } from '../data/normalisation.ts';
import { type Problem, problem } from '../data/problem.ts';
import { coarsened, shapeAt } from '../data/spacing.ts';
import type { Turn } from '../formats/orientation.ts';
import { readGrid } from '../formats/read-volume.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import { imageAt, labelAt } from './at-spacing.ts';
import { scatteredClasses } from './components.ts';
import { type Foreground, foregroundOf } from './foreground.ts';
import { changesShape, type PreparedImage, prepareImage } from './prepared-image.ts';
import { type CaseStorage, changeImage, imageSpan, labelSpan, moveToDisk } from './storage.ts';

/** A case as training and validation take it; `imageOf` and `labelOf` give its arrays. */
export interface PreparedCase extends Omit<PreparedImage, 'image'>, Foreground {
  readonly name: string;
  readonly labelFile: string;
  /** From the voxel order of that file to the one of `shape`. */
  readonly labelTurn: Turn;
  /** Of the scan, before it was resampled to `spacing`: `[depth, height, width]` in millimetres. */
  readonly scanSpacing: Triple;
  readonly storage: CaseStorage;
  /** Class indices, the background excepted, of what is labelled on the scan's own grid. */
  readonly labelled: readonly number[];
  /** Of these, those of which nothing is left at the data set's spacing. */
  readonly lost: readonly number[];
  /** By class index, labelled voxels (of `shape`'s size) outside the crop: they can't be found, yet they count in a Dice. */
  readonly outsideCrop: readonly number[];
  /** Class indices of what is labelled in several pieces: removing small components would remove some of it. */
  readonly scattered: readonly number[];
}

/** How a data set is prepared. */
export interface PrepareOptions {
  readonly folds: number;
  /** Where raw files go when the cases do not fit into memory. */
  readonly cacheFolder: string;
  /** As by default where it is left out. */
  readonly recipe?: Recipe['preparation'];
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

/**
 * Decodes, checks, crops and normalises every case, once, and resamples it to the data set's spacing, in shared memory or on disk.
 * @throws UserError that lists the errors found, so that nothing is trained on a data set with any.
 */
export async function prepareDataSet(dataSet: DataSet, options: PrepareOptions): Promise<PreparedDataSet> {
  const { folds, cacheFolder, onCase, memoryLimitBytes = Number.POSITIVE_INFINITY } = options;
  const recipe = options.recipe ?? defaultRecipe.preparation;
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
  const left = median([...prepared.values()].map(({ crop }) => voxelsOf(crop.shape) / voxelsOf(crop.scanShape)));
  const isMasked = recipe.masked_below !== null && left < recipe.masked_below;
  const normalisations = normalisationsFor(dataSet.channels, fingerprint.intensities, isMasked);
  const spacing = spacingFor(fingerprint, recipe);
  const bytes = [...prepared.values()].map((one) => caseBytes({ ...one, shape: shapeAt(one, spacing) }));
  const resampleOnDisk = onDisk || bytes.reduce((total, size) => total + size, 0) > memoryLimitBytes;
  if (resampleOnDisk) await makeFolder(cacheFolder);
  const cases: PreparedCase[] = [];
  for (const { name } of dataSet.cases) {
    const one = prepared.get(name);
    if (!one) continue;
    // Of what is resampled, the original is not kept.
    prepared.delete(name);
    // Normalised first, as nnU-Net does: what is clipped can't shine into its neighbourhood.
    const mask = maskFor(normalisations, () => imageOf(one), one.shape);
    const normalised = { normalisations, mask };
    normaliseCase(one, normalised);
    const resampled = await caseAt(one, spacing, normalised, resampleOnDisk ? cacheFolder : undefined);
    cases.push({ ...resampled, scattered: scatteredClasses(labelOf(resampled), resampled.shape) });
  }
  const warnings = [...lostLabels(dataSet, cases, spacing), ...problems];
  return { cases, fingerprint, normalisations, warnings };
}

/** That cases are resampled to, millimetres `[depth, height, width]`. */
export const spacingFor = (
  { commonSpacing }: Pick<Fingerprint, 'commonSpacing'>,
  { coarsening }: Pick<Recipe['preparation'], 'coarsening'>,
): Triple => coarsened(commonSpacing, coarsening);

/** Structures that are smaller than what the data set's spacing can show. */
function lostLabels({ folder, labels }: DataSet, cases: readonly PreparedCase[], spacing: Triple): readonly Problem[] {
  const losing = cases.filter(({ lost }) => lost.length > 0);
  if (losing.length === 0) return [];
  const named = losing.map(({ name, lost }) => `${name} (${lost.map((index) => labels[index].name).join(', ')})`);
  const what = `at the data set's spacing of ${formatAxes(spacing)} mm nothing is left of what is labelled in ${some(named)}`;
  const means = 'It is neither learnt there nor does it count in rewards, only in the test Dice';
  return [problem('warning', folder, `${what}. ${means}; check that it is no stray voxel.`)];
}

/** A case that is read is in memory about so often: as it is stored, decoded and prepared. */
const copiesWhileRead = 3;

/** Bytes of the arrays of a prepared case. */
export const caseBytes = ({ shape, channels }: Pick<PreparedCase, 'shape' | 'channels'>): number =>
  voxelsOf(shape) * (4 * channels + 1);

/** What each case takes when prepared, before any crop; what cannot be read counts nothing here and is reported later. */
function preparedBytes({ cases }: DataSet): Promise<readonly number[]> {
  return mapConcurrently(cases, async ({ images }) => {
    const grid = await readGrid(images[0]).catch((error: unknown) => passOn(images[0], error));
    if (!grid) return 0;
    return caseBytes({ shape: grid.shape, channels: grid.channels * images.length });
  });
}

/** A case on its own grid, with the intensities of its scan: how they are normalised is known once all of the data set is. */
async function prepareCase(
  { name, label: labelFile, labelTurn, imageVolume, labelVolume }: LoadedCase,
  { labels, ignoredValue }: DataSet,
  cacheFolder: string | undefined,
): Promise<PreparedCase> {
  const { image, ...geometry } = prepareImage(imageVolume, []);
  const labelValues = labels.map(({ value }) => value);
  const { label, outsideCrop } = cropLabel(labelVolume, geometry.crop, { labelValues, ignoredValue });
  const storage = await storeCase(cacheFolder, name, image, label);
  const inside = classesIn(label);
  const labelled = labelValues.flatMap((_, index) => (inside.has(index) || outsideCrop[index] > 0 ? [index] : []));
  const own = { labelled, lost: [], ...foregroundOf(label), outsideCrop, scattered: [] };
  return { name, labelFile, labelTurn, ...geometry, scanSpacing: geometry.spacing, storage, ...own };
}

/** The class indices of a label, without the background and what is ignored. */
function classesIn(label: Uint8Array): ReadonlySet<number> {
  const found = new Uint8Array(256);
  for (let i = 0; i < label.length; i++) found[label[i]] = 1;
  return new Set([...found.keys()].filter((index) => found[index] === 1 && index !== 0 && index !== IGNORED_CLASS));
}

async function storeCase(
  cacheFolder: string | undefined,
  name: string,
  image: Float32Array,
  label: Uint8Array,
): Promise<CaseStorage> {
  if (cacheFolder === undefined) return { kind: 'memory', image, label };
  return moveToDisk(join(cacheFolder, name), image, label);
}

/** How a case is normalised, and the mask of its image by which it is, where it is by one. */
interface Normalised {
  readonly normalisations: readonly Normalisation[];
  readonly mask: Uint8Array | undefined;
}

/** A case at the data set's spacing: the same where it has that. */
async function caseAt(
  one: PreparedCase,
  spacing: Triple,
  { normalisations, mask }: Normalised,
  cacheFolder: string | undefined,
): Promise<PreparedCase> {
  if (!changesShape(one, spacing)) return one;
  const shape = shapeAt(one, spacing);
  const image = imageAt(imageOf(one), one.channels, one, spacing);
  if (mask) clearOutside(image, normalisations, labelAt(mask, one, spacing));
  const label = labelAt(labelOf(one), one, spacing);
  const growth = voxelsOf(shape) / voxelsOf(one.shape);
  const left = classesIn(label);
  return {
    ...one,
    shape,
    spacing,
    storage: await storeCase(cacheFolder, one.name, image, label),
    lost: one.labelled.filter((index) => !left.has(index) && one.outsideCrop[index] === 0),
    ...foregroundOf(label),
    outsideCrop: one.outsideCrop.map((voxels) => growth * voxels),
  };
}

/** Whether a case has not the voxels of its scan. */
export const isResampled = ({ shape, crop }: PreparedCase): boolean => String(shape) !== String(crop.shape);

function normaliseCase({ storage, shape }: PreparedCase, { normalisations, mask }: Normalised): void {
  const voxels = voxelsOf(shape);
  normalisations.forEach((normalisation, channel) => {
    changeImage(storage, channel * voxels, (channel + 1) * voxels, (values) => normalise(values, normalisation, mask));
  });
}

/** The whole image of a prepared case, `[channel, depth, height, width]`. */
export function imageOf({ storage, channels, shape }: PreparedCase): Float32Array {
  return imageSpan(storage, 0, channels * voxelsOf(shape));
}

/** The whole label of a prepared case, `[depth, height, width]`, as class indices. */
export function labelOf({ storage, shape }: PreparedCase): Uint8Array {
  return labelSpan(storage, 0, voxelsOf(shape));
}
