import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { mapConcurrently } from '../base/concurrency.ts';
import { allErrors, codeOf, outcomeOf, some, sortOutcomes, UserError } from '../base/errors.ts';
import { isFolder } from '../base/files.ts';
import { groupBy } from '../base/group-by.ts';
import { findChannels, type ScanFiles, singleScans } from '../data/channels.ts';
import { readDataSet } from '../data/dataset.ts';
import { foldersAround, requireApart, requireNone, requireOutside, requireReplaceable } from '../data/outputs.ts';
import { dicomMaker, isMarked } from '../formats/dicom-seg-file.ts';
import { endingOf } from '../formats/endings.ts';
import { SCAN_ENDINGS } from '../formats/formats.ts';
import { niftiMaker, readNiftiHeader } from '../formats/nifti.ts';
import { isMark, type Maker } from '../formats/nifti-mark.ts';
import {
  isDicomFile,
  isDicomSeries,
  listAmongSlices,
  listDicom,
  readScanFolder,
  remarksOn,
} from '../formats/scan-files.ts';
import { probabilitiesSuffix } from '../preparation/label-map.ts';
import { runKey } from '../run/run-key.ts';
import type { RunRecord } from '../run/run-record.ts';
import type { PredictOptions } from './options.ts';

/** The files that are written of a scan: its label map and, where they are asked for, the probabilities. */
export function outputsOf({ out, format, probabilities }: PredictOptions, name: string): readonly string[] {
  const labelMap = `${name}${format === 'dicom-seg' ? SEGMENTATION_ENDING : '.nii.gz'}`;
  return [labelMap, ...(probabilities ? [`${name}${probabilitiesSuffix}.nii.gz`] : [])].map((file) => join(out, file));
}

/** What the names of DICOM Segmentations end in. */
const SEGMENTATION_ENDING = '.dcm';

/** Whose work a result is; undefined where it is nobody's of ours or was changed since. */
const makerOf = (file: string): Promise<Maker | undefined> =>
  file.endsWith(SEGMENTATION_ENDING) ? dicomMaker(file) : niftiMaker(file);

/** The scans that files and folders mean, each once, and a sentence about each that can't be segmented for what it is called. */
export async function findScans(
  inputs: readonly string[],
  { channel_files, network }: RunRecord,
  outputs: (name: string) => readonly string[],
  warn: (sentence: string) => void = () => {},
): Promise<{ readonly scans: readonly ScanFiles[]; readonly problems: readonly string[] }> {
  const listed = sortOutcomes(await mapConcurrently(inputs, (input) => outcomeOf(() => listInput(input, warn))));
  const found = listed.results.flatMap(({ scans }) => scans);
  const unlisted = [...listed.problems, ...listed.results.flatMap(({ problems }) => problems)];
  const byPath = new Map<string, string>();
  for (const path of found) if (!byPath.has(resolve(path))) byPath.set(resolve(path), path);
  const files = [...byPath.values()];
  if (files.length === 0 && unlisted.length === 0)
    throw new UserError(
      `${inputs.join(', ')}: no scan (${SCAN_ENDINGS.join(', ')} or a folder of DICOM) is there to be segmented.`,
    );
  const folder = inputs.length === 1 && (await isFolderOfScans(inputs[0])) ? inputs[0] : undefined;
  const grouped = channel_files
    ? findChannels(files, network.input_channels, folder)
    : { scans: singleScans(files, folder), problems: [] };
  const called = await mapConcurrently(grouped.scans, (scan) =>
    outcomeOf(async () => {
      if ((await Promise.all(outputs(scan.name).map(isTooLong))).includes(true))
        throw new UserError(`${scan.files[0]}: the name of its label map would be too long. Shorten its name.`);
      return scan;
    }),
  );
  const { results, problems } = sortOutcomes(called);
  const { alone, clashes } = separate(results, outputs);
  return { scans: alone, problems: [...unlisted, ...grouped.problems, ...problems, ...clashes] };
}

/** The scans whose results are called like no other's, and a sentence for each name that several would have. */
function separate(scans: readonly ScanFiles[], outputs: (name: string) => readonly string[]) {
  const all = scans.flatMap((scan) => outputs(scan.name).map((output) => ({ output, scan })));
  const groups = [...groupBy(all, ({ output }) => output)].filter(([, group]) => group.length > 1);
  const clashing = new Set(groups.flatMap(([, group]) => group.map(({ scan }) => scan)));
  const clashes = groups.map(([output, group]) => {
    const files = group.map(({ scan }) => scan.files[0]);
    return `${files.join(', ')}: all of them would become ${output}. Segment them into separate folders.`;
  });
  return { alone: scans.filter((scan) => !clashing.has(scan)), clashes };
}

/** The scans that a file or folder means, and a sentence about each folder in it that can't be looked into. */
async function listInput(input: string, warn: (sentence: string) => void) {
  const entry = await stat(input).catch(() => {
    throw new UserError(`${input}: there is no such file or folder. Check the path.`);
  });
  if (!entry.isDirectory()) return { scans: [input], problems: [] };
  const found = (await isDicomSeries(input)) ? await readSeriesFolder(input) : await readScanFolder(input);
  for (const sentence of remarksOn(found)) warn(`${input}: ${sentence}`);
  const areOurs = await mapConcurrently(found.scans, isLabelMapOfOurs);
  const ours = found.scans.filter((_, i) => areOurs[i]).map((path) => basename(path));
  if (ours.length > 0) warn(`${input}: label maps that were made by this program are passed over: ${some(ours)}.`);
  return { ...found, scans: found.scans.filter((_, i) => !areOurs[i]) };
}

const isFolderOfScans = async (path: string): Promise<boolean> =>
  (await isFolder(path)) && !(await isDicomSeries(path));

/** As `readScanFolder`, of a folder that is one scan. */
async function readSeriesFolder(folder: string): ReturnType<typeof readScanFolder> {
  return { scans: [folder], overlooked: [], amongSlices: await listAmongSlices(folder), repeated: [], problems: [] };
}

/** Whether a file, or all of DICOM in a folder, is what `predict` has written, as headers say: a folder may hold scans and their label maps. */
async function isLabelMapOfOurs(file: string): Promise<boolean> {
  if (await isFolder(file)) return isFolderOfOurs(file);
  if (!file.endsWith('.nii.gz')) return false;
  return readNiftiHeader(file).then(
    ({ description }) => isMark(description),
    () => false,
  );
}

/** Whether there are DICOM Segmentations of ours in a folder, and nothing else of DICOM. */
async function isFolderOfOurs(folder: string): Promise<boolean> {
  let found = false;
  for (const file of await listDicom(folder)) {
    if (!(await isDicomFile(file))) continue;
    if (!(await isMarked(file))) return false;
    found = true;
  }
  return found;
}

/** Whether a file system takes no file of this name; its folder need not be there. */
async function isTooLong(file: string): Promise<boolean> {
  const [there] = await foldersAround(dirname(file));
  const error: unknown = await lstat(join(there, basename(file))).then(
    () => undefined,
    (error: unknown) => error,
  );
  return codeOf(error) === 'ENAMETOOLONG';
}

/** @throws UserError that names every scan that is no DICOM series, to which a DICOM Segmentation could refer */
export async function requireSeries(scans: readonly ScanFiles[]): Promise<void> {
  const problems = await mapConcurrently(scans, async ({ files: [file] }) => {
    if (endingOf(file) === undefined && (await isFolder(file))) return [];
    const what = 'this is no DICOM series, to which a DICOM Segmentation would refer';
    return [`${file}: ${what}. Give the folder of its series, or write NIfTI with --format nifti.`];
  });
  if (problems.flat().length > 0) throw allErrors(problems.flat());
}

/** @throws UserError, before anything is written, where label maps would replace, or lie among, what they must not */
export async function requireUnharmed(
  options: PredictOptions,
  run: RunRecord,
  scans: readonly ScanFiles[],
): Promise<void> {
  const { inputs, out, overwrite = false } = options;
  const files = scans.flatMap((scan) => scan.files);
  // A series of DICOM is a folder.
  await requireNone(out, [...inputs, ...files]);
  await requireNoneIn(out, files);
  await requireApartFromRun(out, run);
  const isOwn = async (file: string): Promise<boolean> => (await makerOf(file))?.run === runKey(run);
  await requireReplaceable(
    scans.flatMap(({ name }) => outputsOf(options, name)),
    { isOwn, overwrite, inputs: files },
  );
}

/** @throws UserError where a folder for label maps holds scans: the label maps would be taken for some, or these for label maps */
async function requireNoneIn(out: string, files: readonly string[]): Promise<void> {
  const there = await realpath(out).catch(() => undefined);
  if (there === undefined) return;
  const folders = await mapConcurrently(files, (file) => realpath(dirname(file)).catch(() => undefined));
  const scan = files[folders.indexOf(there)];
  if (scan === undefined) return;
  throw new UserError(`${out} holds ${scan}, a scan to be segmented: give another folder with --out.`);
}

/** @throws UserError where results would be, or lie among, the scans or label maps that a run was trained on, where these are still there */
export async function requireApartFromRun(out: string, { settings }: RunRecord): Promise<void> {
  const { data_set: folder, label_folder: labels } = settings;
  await requireOutside(out, labels === undefined ? [] : [folder, labels]);
  const around = await foldersAround(out);
  const trained = await Promise.all([folder, labels ?? folder].map((one) => realpath(one).catch(() => '')));
  if (!around.some((one) => trained.includes(one))) return;
  const dataSet = await readDataSet(folder, labels).catch(() => undefined);
  if (dataSet) await requireApart(out, dataSet);
}

/**
 * What is there in the place of a scan's label map has to be this run's, of this scan: patients' files are often called alike.
 * @throws UserError where it is another scan's
 */
export async function requireSameScan(outputs: readonly string[], { run, scan }: Maker): Promise<void> {
  for (const output of outputs) {
    const found = await makerOf(output);
    if (found?.run !== run || found.scan === scan) continue;
    throw new UserError(
      `${output}: the label map of another scan of this name is there. Segment them into separate folders, or replace it with --overwrite.`,
    );
  }
}
