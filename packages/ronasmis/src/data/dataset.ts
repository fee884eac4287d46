import { access, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';

/** A scan and its label map, by their files. */
export interface Case {
  /** The image's file name without `.nii.gz`. */
  readonly name: string;
  readonly image: string;
  readonly label: string;
}

/** A labelled data set in the layout of the Medical Segmentation Decathlon. Nothing of the scans has been read yet. */
export interface DataSet {
  readonly name: string;
  readonly folder: string;
  /** What each channel of an image shows. */
  readonly channels: readonly string[];
  /** By increasing value, background (0) first. The index in this list is the network's class. */
  readonly labels: readonly Label[];
  /** By name, as sorted by code points: the order that the folds are drawn from. */
  readonly cases: readonly Case[];
}

/** A value in the label maps and what it means. */
export interface Label {
  readonly value: number;
  readonly name: string;
}

const descriptionSchema = z.looseObject({
  name: z.string().optional(),
  modality: z.record(z.string(), z.string()).optional(),
  channel_names: z.record(z.string(), z.string()).optional(),
  labels: z
    .record(z.string(), z.string())
    .refine((labels) => Object.keys(labels).every((value) => /^\d+$/.test(value)), {
      message: 'labels are listed as {"0": "background", "1": "liver"}, with whole numbers as keys',
    }),
  training: z.array(z.object({ image: z.string(), label: z.string() })).optional(),
});

/** More classes than this do not fit the uint8 label maps of prepared cases. */
const MAX_LABELS = 256;
/** So many files are named in a message before it says how many more there are. */
const MAX_NAMED = 5;

/**
 * Reads `dataset.json` and finds the files it speaks of; without a `training` list, those in `imagesTr` and `labelsTr`.
 * @throws UserError naming the folder or file, where the data set is not whole.
 */
export async function readDataSet(folder: string): Promise<DataSet> {
  const file = join(folder, 'dataset.json');
  const description = await readDescription(folder, file);
  const cases = description.training
    ? description.training.map(({ image, label }) => toCase(resolve(folder, image), resolve(folder, label)))
    : await listCases(folder);
  cases.sort((left, right) => (left.name < right.name ? -1 : 1));
  await checkCases(file, cases);
  const channels = description.channel_names ?? description.modality ?? { 0: 'image' };
  return {
    name: description.name ?? basename(resolve(folder)),
    folder,
    channels: Object.entries(channels)
      .sort(([left], [right]) => Number(left) - Number(right))
      .map(([, channel]) => channel),
    labels: readLabels(file, description.labels),
    cases,
  };
}

async function readDescription(folder: string, file: string): Promise<z.infer<typeof descriptionSchema>> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new UserError(`${folder}: there is no such folder. Give the folder that holds dataset.json.`);
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UserError(
      `${folder}: it holds no readable dataset.json. Give a folder in the layout of the Medical Segmentation Decathlon ` +
        '(dataset.json, imagesTr, labelsTr).',
    );
  });
  const parsed = descriptionSchema.safeParse(parseJson(file, text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`${file}: at ${issue.path.join('.') || 'the top'}: ${issue.message}. Correct it there.`);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file}: this is not valid JSON (${reason}). Correct it there.`);
  }
}

function readLabels(file: string, listed: Readonly<Record<string, string>>): readonly Label[] {
  const labels = Object.entries(listed)
    .map(([value, name]) => ({ value: Number(value), name }))
    .sort((left, right) => left.value - right.value);
  if (labels[0]?.value !== 0) {
    throw new UserError(`${file}: "labels" does not list 0. Add "0": "background".`);
  }
  if (labels.length < 2) {
    throw new UserError(`${file}: "labels" lists the background only. Add the labels to be segmented.`);
  }
  if (labels.length > MAX_LABELS) {
    throw new UserError(`${file}: "labels" lists ${labels.length} labels; at most ${MAX_LABELS} are possible.`);
  }
  return labels;
}

const toCase = (image: string, label: string): Case => ({ name: caseName(image), image, label });

/** A scan's file name without folder and without `.nii` or `.nii.gz`. */
export const caseName = (file: string): string => basename(file).replace(/\.nii(\.gz)?$/, '');

async function listCases(folder: string): Promise<Case[]> {
  // One after the other, so that of two missing folders it is always the same that is named.
  const images = await listScans(join(folder, 'imagesTr'));
  const labels = await listScans(join(folder, 'labelsTr'));
  const imageNames = new Set(images.map(caseName));
  const labelByName = new Map(labels.map((label) => [caseName(label), label]));
  const orphans = labels.filter((label) => !imageNames.has(caseName(label)));
  if (orphans.length > 0) {
    throw new UserError(`${some(orphans)}: no image of this name in imagesTr. Add it or remove the label.`);
  }
  return images.map((image) => {
    const label = labelByName.get(caseName(image));
    if (label === undefined) {
      throw new UserError(`${image}: no label of this name in labelsTr. Add it or remove the image.`);
    }
    return toCase(image, label);
  });
}

/** The `.nii` and `.nii.gz` files of a folder; hidden ones (`._*` of macOS) are none. @throws UserError without the folder. */
export async function listScans(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => {
    throw new UserError(`${folder}: there is no such folder. Give one that holds .nii.gz files.`);
  });
  return names
    .filter((name) => /\.nii(\.gz)?$/.test(name) && !name.startsWith('.'))
    .sort()
    .map((name) => join(folder, name));
}

async function checkCases(file: string, cases: readonly Case[]): Promise<void> {
  if (cases.length === 0) throw new UserError(`${file}: the data set has no training cases. Add images with labels.`);
  const repeated = cases.filter(({ name }, i) => i > 0 && cases[i - 1].name === name).map(({ name }) => name);
  if (repeated.length > 0) {
    throw new UserError(`${file}: ${some(repeated)} is listed more than once. Keep one entry for each case.`);
  }
  const missing = (kind: 'image' | 'label') =>
    Promise.all(cases.map(async (entry) => ((await exists(entry[kind])) ? [] : [entry[kind]])));
  const images = (await missing('image')).flat();
  if (images.length > 0) {
    throw new UserError(
      `${some(images)}: listed as an image in dataset.json, but not there. Add it or remove its entry.`,
    );
  }
  const labels = (await missing('label')).flat();
  if (labels.length > 0) {
    throw new UserError(
      `${some(labels)}: listed as a label in dataset.json, but not there. Add it or remove its entry.`,
    );
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

function some(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
