import { basename, join, resolve } from 'node:path';
import { allErrors, UserError } from '../errors.ts';
import { channelsOf } from './case.ts';
import { groupChannels, isChannelFile, type ScanFiles } from './channels.ts';
import { mapConcurrently } from './concurrently.ts';
import { isLabelValue, type Label, type Labelling, MAX_LABELS, readDescription } from './description.ts';
import { readGrid, readLabelMap } from './read-volume.ts';
import { byCaseName, caseName, listScans } from './scan-files.ts';
import { countValues } from './statistics.ts';

/** A scan and its label map, by their files. */
export interface Case {
  /** The image's file name without ending and without a channel's number. */
  readonly name: string;
  /** One file with all channels, or one a channel. */
  readonly images: readonly string[];
  readonly label: string;
}

/** A labelled data set in the layout of the Medical Segmentation Decathlon or of nnU-Net v2. Nothing of the scans has been read yet. */
export interface DataSet extends Labelling {
  readonly name: string;
  readonly folder: string;
  /** What each channel of an image shows. */
  readonly channels: readonly string[];
  /** Whether every channel is in a file of its own, `CASE_0000.nii.gz`, as nnU-Net has them. */
  readonly channelFiles: boolean;
  /** By increasing value, background (0) first. The index in this list is the network's class. */
  readonly labels: Labelling['labels'];
  /** By name, as sorted by code points: the order that the folds are drawn from. */
  readonly cases: readonly Case[];
}

/** So many files are named in a message before it says how many more there are. */
const MAX_NAMED = 5;

/**
 * Reads `dataset.json` and finds the files it speaks of; without a `training` list, those in `imagesTr` and `labelsTr`, an image each or,
 * where all images are named so, one for each channel. With a `labelFolder`, `folder` is one of images alone.
 * @throws UserError that names every file without its counterpart, or the folder, where the data set is not whole. Listed files are not looked for.
 */
export async function readDataSet(folder: string, labelFolder?: string): Promise<DataSet> {
  if (labelFolder !== undefined) return readFolders(folder, labelFolder);
  const { name = basename(resolve(folder)), channels, training, ...labelling } = await readDescription(folder);
  const { cases, channelFiles } = training
    ? { cases: training.map((entry) => toCase(folder, entry)), channelFiles: false }
    : await listCases({ images: join(folder, 'imagesTr'), labels: join(folder, 'labelsTr') }, channels.length);
  checkCases(join(folder, 'dataset.json'), cases);
  return { name, folder, channels, channelFiles, ...labelling, cases: sortedByName(cases) };
}

function sortedByName(cases: readonly Case[]): readonly Case[] {
  return cases.toSorted((left, right) => (left.name < right.name ? -1 : 1));
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
  const labelByName = byCaseName(labels);
  const channelFiles =
    images.length > 0 && images.every((file) => isChannelFile(file) && !labelByName.has(caseName(file)));
  const scans = channelFiles
    ? groupChannels(images, channels)
    : images.map((file): ScanFiles => ({ name: caseName(file), files: [file] }));
  const names = new Set(scans.map(({ name }) => name));
  const orphans = labels.filter((label) => !names.has(caseName(label)));
  const unlabelled = scans.filter(({ name }) => !labelByName.has(name)).map(({ files: [file] }) => file);
  const without = (files: readonly string[], what: string, where: string): readonly string[] =>
    files.length === 0
      ? []
      : [`${some(files)}: no ${what} of this name in ${basename(where)}. Add it or remove the file.`];
  const errors = [...without(orphans, 'image', imageFolder), ...without(unlabelled, 'label', labelFolder)];
  if (errors.length > 0) throw allErrors(errors);
  const cases = scans.flatMap(({ name, files }) => {
    const label = labelByName.get(name);
    return label === undefined ? [] : [{ name, images: files, label }];
  });
  return { cases, channelFiles };
}

/**
 * A data set without a `dataset.json`: a folder of images and one of label maps of the same names. Channels are counted in the first image,
 * and labels are the values that the label maps have.
 */
async function readFolders(images: string, labels: string): Promise<DataSet> {
  const { cases, channelFiles } = await listCases({ images, labels }, undefined);
  checkCases(images, cases);
  const [{ images: files }] = cases;
  const channels = channelFiles ? files.length : channelsOf(await readGrid(files[0]));
  return {
    name: basename(resolve(images)),
    folder: images,
    channels: Array.from({ length: channels }, (_, channel) => `channel ${channel}`),
    channelFiles,
    labels: await findLabels(cases),
    regions: [],
    cases: sortedByName(cases),
  };
}

/** The values of all label maps; those that can't be read are reported when the data set is checked. */
async function findLabels(cases: readonly Case[]): Promise<readonly Label[]> {
  const values = new Set([0]);
  await mapConcurrently(cases, async ({ label }) => {
    const volume = await readLabelMap(label).catch(() => undefined);
    const found = volume === undefined ? [] : [...countValues(volume.data).keys()];
    const odd = found.find((value) => !isLabelValue(value));
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

function checkCases(file: string, unsorted: readonly Case[]): void {
  const cases = sortedByName(unsorted);
  if (cases.length === 0) throw new UserError(`${file}: the data set has no training cases. Add images with labels.`);
  const repeated = cases.filter(({ name }, i) => i > 0 && cases[i - 1].name === name).map(({ name }) => name);
  if (repeated.length > 0) {
    throw new UserError(`${file}: ${some(repeated)} is listed more than once. Keep one entry for each case.`);
  }
}

/** Up to five names, and how many more there are. */
export function some(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
