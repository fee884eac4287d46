import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrently } from '../../base/concurrency.ts';
import { allErrors } from '../../base/errors.ts';
import { makeFolder, writeAtomically } from '../../base/files.ts';
import { VERSION } from '../../base/version.ts';
import type { LoadedCase } from '../../data/case.ts';
import { checkDataSet } from '../../data/check.ts';
import { type DataSet, readDataSet } from '../../data/dataset.ts';
import { splitCases, splitLabelled } from '../../data/folds.ts';
import { requireApart } from '../../data/outputs.ts';
import { readGrid } from '../../formats/read-volume.ts';
import { writeRecord } from '../../run/run-folder.ts';
import type { SystemOptions } from '../system.ts';
import { convertCase } from './conversion.ts';
import { datasetJson, splits } from './dataset-json.ts';
import { nnunetFolders } from './folders.ts';
import type { NnunetPython } from './python.ts';
import { type NnunetRecord, recordName } from './record.ts';

/** A run whose data nnU-Net has, and what is odd about that. */
export interface Prepared {
  readonly record: NnunetRecord;
  readonly warnings: readonly string[];
}

/**
 * Checks a data set and lays it out for nnU-Net below the run folder: the training and validation cases of the split as its training cases, and the
 * test cases elsewhere, so that they are in no fingerprint and no plan.
 * @param onCase told after each case how many are done
 * @throws UserError for what is wrong with the data set or the split
 */
export async function prepareData(
  options: SystemOptions,
  { nnunet, torch }: NnunetPython,
  onCase: (done: number, total: number) => void,
): Promise<Prepared> {
  const { out, folds, fold } = options;
  const dataSet = await readDataSet(options.dataSet, options.labelFolder);
  await requireApart(out, dataSet);
  const folders = nnunetFolders(out);
  await rm(folders.root, { recursive: true, force: true });
  const inOrder = [folders.images, folders.labels, folders.testImages, folders.predictions, join(folders.splits, '..')];
  for (const folder of inOrder) await makeFolder(folder);
  const names = dataSet.cases.map(({ name }) => name);
  const test = new Set(splitCases(names, { folds, fold }).test);
  const files = new Map<string, readonly string[]>();
  const visit = async (turned: LoadedCase): Promise<void> => {
    const where = test.has(turned.name)
      ? { images: folders.testImages }
      : { images: folders.images, labels: folders.labels };
    files.set(turned.name, await convertCase(turned, where, dataSet));
  };
  const { problems, fingerprint, summaries } = await checkDataSet(dataSet, { folds, onCase, visit });
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0 || !fingerprint) throw allErrors(errors.map(({ message }) => message));
  const isEmpty = (voxels: readonly number[]): boolean => voxels.every((count, index) => index === 0 || count === 0);
  const empty = new Set(summaries.filter(({ classVoxels }) => isEmpty(classVoxels)).map(({ name }) => name));
  const split = splitLabelled(names, { folds, fold, empty });
  const training = names.filter((name) => !test.has(name));
  await writeJson(folders.datasetJson, datasetJson(dataSet, training.length));
  // One in which something is labelled, for nnU-Net's log has its Dice.
  const validation = split.validation.find((name) => !empty.has(name)) ?? split.validation[0];
  await writeJson(folders.splits, splits(training, validation));
  const of = (name: string): readonly string[] => files.get(name) ?? [];
  const record: NnunetRecord = {
    version: VERSION,
    created: new Date().toISOString(),
    settings: settingsOf(options),
    nnunetv2: nnunet,
    torch,
    channels: dataSet.channels,
    channel_files: dataSet.channelFiles,
    labels: dataSet.labels,
    regions: [...dataSet.regions],
    ...(dataSet.ignoredValue !== undefined && { ignored_value: dataSet.ignoredValue }),
    training,
    example: { files: of(validation), shape: (await readGrid(of(validation)[0])).shape },
    test: await testCases(dataSet, split.test, of),
    fingerprint,
  };
  await writeRecord(folders.root, recordName, record);
  const warnings = problems.filter(({ severity }) => severity === 'warning').map(({ message }) => message);
  return { record, warnings };
}

/** What of a system's options a run goes by. */
export function settingsOf(options: SystemOptions): NnunetRecord['settings'] {
  const { dataSet, labelFolder, timeSeconds, epochs, memoryBytes, folds, fold, seed } = options;
  return {
    data_set: dataSet,
    ...(labelFolder !== undefined && { label_folder: labelFolder }),
    time_seconds: timeSeconds ?? null,
    epochs: epochs ?? null,
    ...(memoryBytes !== undefined && { memory_bytes: memoryBytes }),
    folds,
    fold,
    seed,
  };
}

function testCases(
  { cases }: DataSet,
  test: readonly string[],
  filesOf: (name: string) => readonly string[],
): Promise<NnunetRecord['test']> {
  const entries = cases.filter(({ name }) => test.includes(name));
  return mapConcurrently(entries, async ({ name, images, label }) => {
    const files = filesOf(name);
    const { shape, spacing } = await readGrid(files[0]);
    return { name, images, label, files, shape, spacing };
  });
}

const writeJson = (file: string, value: unknown): Promise<void> =>
  writeAtomically(file, Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`));
