import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { allErrors } from '../../base/errors.ts';
import { makeFolder, writeAtomically } from '../../base/files.ts';
import type { LoadedCase } from '../../data/case.ts';
import { checkDataSet } from '../../data/check.ts';
import { type DataSet, readDataSet } from '../../data/dataset.ts';
import type { Fingerprint } from '../../data/fingerprint.ts';
import { splitCases, splitLabelled } from '../../data/folds.ts';
import { requireApart } from '../../data/outputs.ts';
import { writeRecord } from '../../run/run-folder.ts';
import type { SystemOptions } from '../system.ts';
import { convertCase } from './conversion.ts';
import { datasetJson, splits } from './dataset-json.ts';
import { nnunetFolders } from './folders.ts';
import type { NnunetPython } from './python.ts';
import { givenName, type NnunetGiven } from './record.ts';

/** A data set that nnU-Net has, and what is odd about it. */
export interface Prepared {
  readonly dataSet: DataSet;
  readonly fingerprint: Fingerprint;
  readonly given: NnunetGiven;
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
  const given: NnunetGiven = {
    nnunetv2: nnunet,
    torch,
    ...(dataSet.ignoredValue !== undefined && { ignored_value: dataSet.ignoredValue }),
    training,
    test: testCases(dataSet, split.test, files),
  };
  await writeRecord(folders.root, givenName, given);
  const warnings = problems.filter(({ severity }) => severity === 'warning').map(({ message }) => message);
  return { dataSet, fingerprint, given, warnings };
}

function testCases(
  { cases }: DataSet,
  test: readonly string[],
  files: ReadonlyMap<string, readonly string[]>,
): NnunetGiven['test'] {
  return cases
    .filter(({ name }) => test.includes(name))
    .map(({ name, images, label }) => ({
      name,
      images: images.map((image) => resolve(image)),
      label: resolve(label),
      files: files.get(name) ?? [],
    }));
}

const writeJson = (file: string, value: unknown): Promise<void> =>
  writeAtomically(file, Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`));
