import { basename, join, resolve } from 'node:path';
import { mapConcurrently } from '../base/concurrency.ts';
import { allErrors, outcomeOf, some, UserError } from '../base/errors.ts';
import { isUnreadableName, UNREADABLE_NAME } from '../base/files.ts';
import { countValues } from '../base/statistics.ts';
import { byCaseName, caseName, counterpartNames } from '../formats/case-names.ts';
import { readGrid, readLabelMap } from '../formats/read-volume.ts';
import { readScanFolder, remarksOn } from '../formats/scan-files.ts';
import type { Case } from './case.ts';
import { groupChannels, isChannelFile, singleScans, withoutChannel } from './channels.ts';
import { isLabelValue, type Labelling, MAX_LABELS, readDescription } from './description.ts';
import type { Label } from './label.ts';
import { findListed } from './listed-cases.ts';
import { type Problem, problem } from './problem.ts';

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
  /** What was noticed of `dataset.json` and of files beside the cases. */
  readonly warnings: readonly Problem[];
}

/**
 * Reads `dataset.json` and finds the files it speaks of; without a list, those in `imagesTr` and `labelsTr`, an image each or,
 * where all images are named so, one for each channel. With a `labelFolder`, `folder` is one of images alone.
 * @throws UserError that names every file without its counterpart, or the folder, where the data set is not whole. Listed files are not looked for.
 */
export async function readDataSet(folder: string, labelFolder?: string): Promise<DataSet> {
  if (labelFolder !== undefined) return readFolders(folder, labelFolder);
  const description = await readDescription(folder);
  const {
    name = basename(resolve(folder)),
    channels,
    listed,
    fileEnding,
    numTraining,
    remarks,
    ...labelling
  } = description;
  const file = join(folder, 'dataset.json');
  const { cases, channelFiles, warnings } = listed
    ? await findListed(folder, listed, channels.length)
    : await listCases(
        { images: join(folder, 'imagesTr'), labels: join(folder, 'labelsTr'), fileEnding },
        channels.length,
      );
  checkCases(file, cases);
  const sentences = [...remarks];
  if (numTraining !== undefined && numTraining !== cases.length) {
    const count = `"numTraining" is ${numTraining}, but there are ${cases.length} cases`;
    sentences.push(`${count}. Correct it, or look for what is missing.`);
  }
  const ofFile = sentences.map((sentence) => problem('warning', file, sentence));
  const found = { cases: sortedByName(cases), warnings: [...ofFile, ...warnings] };
  return { name, folder, channels, channelFiles, ...labelling, ...found };
}

function sortedByName(cases: readonly Case[]): readonly Case[] {
  return cases.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** What folders or a list say of the cases. */
interface FoundCases {
  readonly cases: readonly Case[];
  readonly channelFiles: boolean;
  readonly warnings: readonly Problem[];
}

/** Where cases are looked for. */
interface CaseFolders {
  readonly images: string;
  readonly labels: string;
  /** Of the files that belong to the data set; those of any format where it is left out. */
  readonly fileEnding?: string | undefined;
}

/** The cases that a folder of images and one of labels hold; `channels` is needed where each has a file of its own. */
async function listCases(folders: CaseFolders, channels: number | undefined): Promise<FoundCases> {
  // One after the other, so that of two missing folders it is always the same that is named.
  const images = await scansOf(folders.images, folders.fileEnding);
  const labels = await scansOf(folders.labels, folders.fileEnding);
  const unreadable = [...images.scans, ...labels.scans].filter(isUnreadableName);
  if (unreadable.length > 0) throw allErrors(unreadable.map((path) => `${path}: ${UNREADABLE_NAME}`));
  const labelFiles = new Set(labels.scans.map(caseName));
  const channelFiles =
    images.scans.length > 0 && images.scans.every((file) => isChannelFile(file) && !labelFiles.has(caseName(file)));
  const found = channelFiles ? groupChannels(images.scans, channels) : singleScans(images.scans);
  const paths = found.map(({ files: [file] }) => (channelFiles ? withoutChannel(file) : file));
  const [imageNames, labelNames] = counterpartNames(
    { paths, folder: folders.images },
    { paths: labels.scans, folder: folders.labels },
  );
  const labelByName = byCaseName(labels.scans, labelNames);
  const scans = found.map(({ files }, i) => ({ name: imageNames[i], files }));
  const names = new Set(scans.map(({ name }) => name));
  const orphans = [...labelByName].flatMap(([name, label]) => (names.has(name) ? [] : [label]));
  const unlabelled = scans.filter(({ name }) => !labelByName.has(name)).map(({ files: [file] }) => file);
  const without = (files: readonly string[], what: string, where: string): readonly string[] =>
    files.length === 0
      ? []
      : [`${some(files)}: no ${what} of this name in ${basename(where)}. Add it or remove the file.`];
  const errors = [...without(orphans, 'image', folders.images), ...without(unlabelled, 'label', folders.labels)];
  const warnings = [...images.warnings, ...labels.warnings];
  // What was passed over may be what is missing.
  if (errors.length > 0) throw allErrors([...errors, ...warnings.map(({ message }) => message)]);
  const cases = scans.flatMap(({ name, files }) => {
    const label = labelByName.get(name);
    return label === undefined ? [] : [{ name, images: files, label }];
  });
  return { cases, channelFiles, warnings };
}

/**
 * The scans of a folder, and what there is to be said of files that are none of them. Those of another ending than stated are passed over where there are
 * any of that; where there is none, as of label maps in another format, all are taken.
 */
async function scansOf(folder: string, ending = '') {
  const found = await readScanFolder(folder);
  const { scans, problems } = found;
  if (problems.length > 0) throw allErrors(problems);
  const warnings = remarksOn(found).map((sentence) => problem('warning', folder, sentence));
  const stated = scans.filter((path) => path.toLowerCase().endsWith(ending.toLowerCase()));
  if (stated.length === 0 || stated.length === scans.length) return { scans, warnings };
  const others = scans.filter((path) => !stated.includes(path)).map((path) => basename(path));
  const what = `passed over, for "file_ending" in dataset.json is ${ending}: ${some(others)}`;
  warnings.push(problem('warning', folder, `${what}. Convert or remove them, or correct it.`));
  return { scans: stated, warnings };
}

/**
 * A data set without a `dataset.json`: a folder of images and one of label maps of the same names. Channels are counted in the first image,
 * and labels are the values that the label maps have.
 */
async function readFolders(images: string, labels: string): Promise<DataSet> {
  const { cases, channelFiles, warnings } = await listCases({ images, labels }, undefined);
  checkCases(images, cases);
  const [{ images: files }] = cases;
  const channels = channelFiles ? files.length : (await readGrid(files[0])).channels;
  return {
    name: basename(resolve(images)),
    folder: images,
    channels: Array.from({ length: channels }, (_, channel) => `channel ${channel}`),
    channelFiles,
    labels: await findLabels(cases),
    regions: [],
    cases: sortedByName(cases),
    warnings,
  };
}

/** The values of all label maps; those that can't be read are reported when the data set is checked, unless the others have no labels. */
async function findLabels(cases: readonly Case[]): Promise<readonly Label[]> {
  const values = new Set([0]);
  const unreadable: string[] = [];
  await mapConcurrently(cases, async ({ label }) => {
    const read = await outcomeOf(() => readLabelMap(label));
    const found = read.kind === 'problem' ? [] : [...countValues(read.result.data).keys()];
    if (read.kind === 'problem') unreadable.push(read.sentence);
    const odd = found.find((value) => !isLabelValue(value));
    if (odd !== undefined || found.length > MAX_LABELS) {
      const what = odd === undefined ? `${found.length} different values` : `the value ${odd}`;
      throw new UserError(`${label}: this is no label map, for it holds ${what}. Give the folder of the label maps.`);
    }
    for (const value of found) values.add(value);
  });
  const listed = [...values].sort((left, right) => left - right);
  if (listed.length < 2 && unreadable.length > 0) throw allErrors(unreadable.sort());
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
