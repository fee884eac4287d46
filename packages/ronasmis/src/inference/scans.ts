import { lstat, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { findChannels, type ScanFiles, singleScans } from '../data/channels.ts';
import { mapConcurrently } from '../data/concurrently.ts';
import { probabilitiesSuffix } from '../data/label-map.ts';
import { isNiftiOf } from '../data/nifti.ts';
import { foldersAround, requireNone, requireOutside, requireReplaceable } from '../data/outputs.ts';
import { isDicomSeries, overlookedSentences, readScanFolder, SCAN_ENDINGS } from '../data/scan-files.ts';
import { outcomeOf, sortOutcomes, UserError } from '../errors.ts';
import { type RunRecord, runKey } from '../run/records.ts';
import type { PredictOptions } from './predict.ts';

/** The files that are written of a scan: its label map and, where they are asked for, the probabilities. */
export function outputsOf({ out, probabilities }: PredictOptions, name: string): readonly string[] {
  const suffixes = probabilities ? ['', probabilitiesSuffix] : [''];
  return suffixes.map((suffix) => join(out, `${name}${suffix}.nii.gz`));
}

/** The scans that files and folders mean, each once, and a sentence about each that can't be segmented for what it is called. */
export async function findScans(
  inputs: readonly string[],
  { channel_files, network }: RunRecord,
  outputs: (name: string) => readonly string[],
  warn: (sentence: string) => void = () => {},
): Promise<{ readonly scans: readonly ScanFiles[]; readonly problems: readonly string[] }> {
  const listed = sortOutcomes(await mapConcurrently(inputs, (input) => outcomeOf(() => listInput(input, warn))));
  const found = listed.results.flat();
  const byPath = new Map<string, string>();
  for (const path of found) if (!byPath.has(resolve(path))) byPath.set(resolve(path), path);
  const files = [...byPath.values()];
  if (files.length === 0 && listed.problems.length === 0)
    throw new UserError(
      `${inputs.join(', ')}: no scan (${SCAN_ENDINGS.join(', ')} or a folder of DICOM) is there to be segmented.`,
    );
  const grouped = channel_files
    ? findChannels(files, network.input_channels)
    : { scans: singleScans(files), problems: [] };
  const called = await mapConcurrently(grouped.scans, (scan) =>
    outcomeOf(async () => {
      if ((await Promise.all(outputs(scan.name).map(isTooLong))).includes(true))
        throw new UserError(`${scan.files[0]}: the name of its label map would be too long. Shorten its name.`);
      return scan;
    }),
  );
  const { results, problems } = sortOutcomes(called);
  const { alone, clashes } = separate(results, outputs);
  return { scans: alone, problems: [...listed.problems, ...grouped.problems, ...problems, ...clashes] };
}

/** The scans whose results are called like no other's, and a sentence for each name that several would have. */
function separate(scans: readonly ScanFiles[], outputs: (name: string) => readonly string[]) {
  const byOutput = new Map<string, ScanFiles[]>();
  for (const scan of scans)
    for (const output of outputs(scan.name)) byOutput.set(output, [...(byOutput.get(output) ?? []), scan]);
  const groups = [...byOutput].filter(([, group]) => group.length > 1);
  const clashing = new Set(groups.flatMap(([, group]) => group));
  const clashes = groups.map(([output, group]) => {
    const files = group.map(({ files: [file] }) => file);
    return `${files.join(', ')}: all of them would become ${output}. Segment them into separate folders.`;
  });
  return { alone: scans.filter((scan) => !clashing.has(scan)), clashes };
}

async function listInput(input: string, warn: (sentence: string) => void): Promise<readonly string[]> {
  const entry = await stat(input).catch(() => {
    throw new UserError(`${input}: there is no such file or folder. Check the path.`);
  });
  if (!entry.isDirectory() || (await isDicomSeries(input))) return [input];
  const { scans, overlooked } = await readScanFolder(input);
  for (const sentence of overlookedSentences(overlooked)) warn(`${input}: ${sentence}`);
  return scans;
}

/** Whether a file system takes no file of this name; its folder need not be there. */
async function isTooLong(file: string): Promise<boolean> {
  const [there] = await foldersAround(dirname(file));
  const error: unknown = await lstat(join(there, basename(file))).then(
    () => undefined,
    (error: unknown) => error,
  );
  return error instanceof Error && 'code' in error && error.code === 'ENAMETOOLONG';
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
  const { data_set, label_folder } = run.settings;
  await requireOutside(out, label_folder === undefined ? [] : [data_set, label_folder]);
  const maker = runKey(run);
  await requireReplaceable(
    scans.flatMap(({ name }) => outputsOf(options, name)),
    { isOwn: (file) => isNiftiOf(maker, file), overwrite, inputs: files },
  );
}
