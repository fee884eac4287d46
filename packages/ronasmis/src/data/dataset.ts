import { access, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { channelsOf } from './case.ts';
import { caseName, groupChannels, isChannelFile, type ScanFiles } from './channels.ts';
import { mapConcurrently } from './concurrently.ts';
import { readNifti, readNiftiHeader } from './nifti.ts';
import { countValues } from './statistics.ts';

/** A scan and its label map, by their files. */
export interface Case {
  /** The image's file name without `.nii.gz` and without a channel's number. */
  readonly name: string;
  /** One file with all channels, or one a channel. */
  readonly images: readonly string[];
  readonly label: string;
}

/** A labelled data set in the layout of the Medical Segmentation Decathlon or of nnU-Net v2. Nothing of the scans has been read yet. */
export interface DataSet {
  readonly name: string;
  readonly folder: string;
  /** What each channel of an image shows. */
  readonly channels: readonly string[];
  /** Whether every channel is in a file of its own, `CASE_0000.nii.gz`, as nnU-Net has them. */
  readonly channelFiles: boolean;
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
  file_ending: z.string().optional(),
  labels: z
    .record(z.string(), z.union([z.string(), z.int().min(0), z.array(z.int().min(0))]))
    .refine(
      (labels) => Object.entries(labels).every(([key, value]) => typeof value !== 'string' || /^\d+$/.test(key)),
      {
        message:
          'labels are listed as {"0": "background", "1": "liver"}, with whole numbers as keys, or as {"background": 0, "liver": 1}, with numbers as values',
      },
    ),
  training: z.array(z.object({ image: z.string(), label: z.string() })).optional(),
});

/** More classes than this do not fit the uint8 label maps of prepared cases. */
const MAX_LABELS = 256;
/** So many files are named in a message before it says how many more there are. */
const MAX_NAMED = 5;

/**
 * Reads `dataset.json` and finds the files it speaks of; without a `training` list, those in `imagesTr` and `labelsTr`, an image each or,
 * where all images are named so, one for each channel. With a `labelFolder`, `folder` is one of images alone.
 * @throws UserError naming the folder or file, where the data set is not whole.
 */
export async function readDataSet(folder: string, labelFolder?: string): Promise<DataSet> {
  if (labelFolder !== undefined) return readFolders(folder, labelFolder);
  const file = join(folder, 'dataset.json');
  const description = await readDescription(folder, file);
  requireReadable(file, description.file_ending);
  const listed = Object.entries(description.channel_names ?? description.modality ?? { 0: 'image' });
  const { cases, channelFiles } = description.training
    ? { cases: description.training.map((entry) => toCase(folder, entry)), channelFiles: false }
    : await listCases({ images: join(folder, 'imagesTr'), labels: join(folder, 'labelsTr') }, listed.length);
  cases.sort((left, right) => (left.name < right.name ? -1 : 1));
  await checkCases(file, cases);
  return {
    name: description.name ?? basename(resolve(folder)),
    folder,
    channels: listed.sort(([left], [right]) => Number(left) - Number(right)).map(([, channel]) => channel),
    channelFiles,
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
        'or of nnU-Net (dataset.json, imagesTr, labelsTr), or one of images alone and --labels for their label maps.',
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

function requireReadable(file: string, ending: string | undefined): void {
  if (ending === undefined || ending === '.nii.gz' || ending === '.nii') return;
  throw new UserError(`${file}: "file_ending" is ${ending}. Convert the files to .nii.gz, and say so there.`);
}

type ListedLabels = z.infer<typeof descriptionSchema>['labels'];

function readLabels(file: string, listed: ListedLabels): readonly Label[] {
  const labels = Object.entries(listed)
    .map(([key, value]) => readLabel(file, key, value))
    .sort((left, right) => left.value - right.value);
  const twice = labels.find(({ value }, i) => i > 0 && labels[i - 1].value === value);
  if (twice)
    throw new UserError(`${file}: "labels" lists the value ${twice.value} more than once. Keep one name for it.`);
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

/** The Decathlon lists `"1": "liver"`, nnU-Net `"liver": 1`. */
function readLabel(file: string, key: string, value: ListedLabels[string]): Label {
  if (typeof value === 'string') return { value: Number(key), name: value };
  if (typeof value !== 'number') {
    throw new UserError(
      `${file}: the label "${key}" is a region of the values ${value.join(', ')}. Regions are not supported: list a label for each value.`,
    );
  }
  if (key === 'ignore') {
    throw new UserError(
      `${file}: "labels" lists an ignore label. It is not supported: correct the label maps, and remove it there.`,
    );
  }
  return { value, name: key };
}

function toCase(folder: string, { image, label }: { readonly image: string; readonly label: string }): Case {
  return { name: caseName(image), images: [resolve(folder, image)], label: resolve(folder, label) };
}

/** What is said of images and labels that do not fit together. */
interface FolderNames {
  readonly images: string;
  readonly labels: string;
}

/** The cases that a folder of images and one of labels hold; `channels` is needed where each has a file of its own. */
async function listCases(
  { images: imageFolder, labels: labelFolder }: FolderNames,
  channels: number | undefined,
): Promise<{ cases: Case[]; channelFiles: boolean }> {
  // One after the other, so that of two missing folders it is always the same that is named.
  const images = await listScans(imageFolder);
  const labels = await listScans(labelFolder);
  const labelByName = new Map(labels.map((label) => [caseName(label), label]));
  const channelFiles =
    images.length > 0 && images.every((file) => isChannelFile(file) && !labelByName.has(caseName(file)));
  const scans = channelFiles
    ? groupChannels(images, channels)
    : images.map((file): ScanFiles => ({ name: caseName(file), files: [file] }));
  const names = new Set(scans.map(({ name }) => name));
  const orphans = labels.filter((label) => !names.has(caseName(label)));
  if (orphans.length > 0) {
    throw new UserError(
      `${some(orphans)}: no image of this name in ${basename(imageFolder)}. Add it or remove the label.`,
    );
  }
  const cases = scans.map(({ name, files }) => {
    const label = labelByName.get(name);
    if (label === undefined) {
      throw new UserError(
        `${files[0]}: no label of this name in ${basename(labelFolder)}. Add it or remove the image.`,
      );
    }
    return { name, images: files, label };
  });
  return { cases, channelFiles };
}

/**
 * A data set without a `dataset.json`: a folder of images and one of label maps of the same names. Channels are counted in the first image,
 * and labels are the values that the label maps have.
 */
async function readFolders(images: string, labels: string): Promise<DataSet> {
  const { cases, channelFiles } = await listCases({ images, labels }, undefined);
  await checkCases(images, cases);
  const [{ images: files }] = cases;
  const channels = channelFiles ? files.length : channelsOf(await readNiftiHeader(files[0]));
  return {
    name: basename(resolve(images)),
    folder: images,
    channels: Array.from({ length: channels }, (_, channel) => `channel ${channel}`),
    channelFiles,
    labels: await findLabels(cases),
    cases,
  };
}

/** The values of all label maps; those that can't be read are reported when the data set is checked. */
async function findLabels(cases: readonly Case[]): Promise<readonly Label[]> {
  const values = new Set([0]);
  await mapConcurrently(cases, async ({ label }) => {
    const volume = await readNifti(label).catch(() => undefined);
    const found = volume === undefined ? [] : [...countValues(volume.data).keys()];
    const odd = found.find((value) => !Number.isInteger(value) || value < 0);
    if (odd !== undefined || found.length > MAX_LABELS) {
      const what = odd === undefined ? `${found.length} different values` : `the value ${odd}`;
      throw new UserError(`${label}: this is no label map, for it holds ${what}. Give the folder of the label maps.`);
    }
    for (const value of found) values.add(value);
  });
  const listed = [...values].sort((left, right) => left - right);
  if (listed.length < 2)
    throw new UserError(`${cases[0].label}: this label map and all others are empty. Give others.`);
  if (listed.length > MAX_LABELS)
    throw new UserError(
      `${cases[0].label}: the label maps have ${listed.length} values; at most ${MAX_LABELS} are possible.`,
    );
  return listed.map((value) => ({ value, name: value === 0 ? 'background' : `label ${value}` }));
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
  const missing = async (files: readonly string[]): Promise<readonly string[]> => {
    const found = await Promise.all(files.map(exists));
    return files.filter((_, i) => !found[i]);
  };
  const images = await missing(cases.flatMap((entry) => entry.images));
  if (images.length > 0) {
    throw new UserError(
      `${some(images)}: listed as an image in dataset.json, but not there. Add it or remove its entry.`,
    );
  }
  const labels = await missing(cases.map(({ label }) => label));
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
