import { mapConcurrently } from '../base/concurrency.ts';
import { some } from '../base/errors.ts';
import { isThere, passOn } from '../base/files.ts';
import { orientationOf } from '../formats/affine.ts';
import { readGrid } from '../formats/read-volume.ts';
import { type Case, type LoadedCase, loadCase, turnCase } from './case.ts';
import { checkAcross } from './check-across.ts';
import { checkCase } from './check-case.ts';
import type { DataSet } from './dataset.ts';
import { type CaseSummary, countOf, type Fingerprint, fingerprint, summariseCase } from './fingerprint.ts';
import { unlabelledFolds } from './folds.ts';
import { type Problem, problem } from './problem.ts';
import { oneLineAKind } from './problems.ts';

/** What a look at every file of a data set found. */
export interface CheckResult {
  /** Errors first, in the order of the cases; warnings with one line a kind. */
  readonly problems: readonly Problem[];
  /** Of the cases without an error; undefined where there is none. */
  readonly fingerprint: Fingerprint | undefined;
  /** Of each case without an error, in the order of the cases. */
  readonly summaries: readonly CaseSummary[];
}

/** How a data set is checked. */
export interface CheckOptions {
  /** The data set is to be split into so many parts. */
  readonly folds: number;
  /** Told after each case how many are done. */
  readonly onCase?: (done: number, total: number) => void;
  /** Given each case without an error while it is decoded, turned to the data set's usual orientation, so that preparing needs no second pass over the files. */
  readonly visit?: (turned: LoadedCase) => Promise<void>;
  /** So many cases may be in memory at once. */
  readonly atOnce?: number;
}

/** Decodes every case once, a few at a time, and collects every problem there is. */
export async function checkDataSet(dataSet: DataSet, options: CheckOptions): Promise<CheckResult> {
  const { folds, onCase, visit, atOnce } = options;
  const orientation = await usualOrientation(dataSet.cases);
  const total = dataSet.cases.length;
  let done = 0;
  const check = async (entry: Case): ReturnType<typeof examine> => {
    const result = await examine(entry, dataSet, orientation, visit);
    onCase?.(++done, total);
    return result;
  };
  const results = await mapConcurrently(dataSet.cases, check, atOnce);
  const summaries = results.flatMap(({ summary }) => (summary ? [summary] : []));
  const found = [
    ...dataSet.warnings,
    ...results.flatMap((result) => result.problems),
    ...checkAcross(dataSet, summaries, folds, orientation),
    ...checkEmpty(dataSet, summaries, folds),
  ];
  const problems = oneLineAKind(found, dataSet.folder, total);
  const errors = problems.filter(({ severity }) => severity === 'error');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  return {
    problems: [...errors, ...warnings],
    fingerprint: summaries.length > 0 ? fingerprint(dataSet, summaries, orientation) : undefined,
    summaries,
  };
}

/** Scans in which nothing is labelled: healthy controls, or what nobody has segmented yet. */
function checkEmpty({ folder, cases }: DataSet, summaries: readonly CaseSummary[], folds: number): readonly Problem[] {
  const empty = summaries.filter(({ classVoxels }) =>
    classVoxels.every((voxels, index) => index === 0 || voxels === 0),
  );
  if (empty.length === 0) return [];
  if (empty.length === cases.length)
    return [problem('error', folder, 'all label maps are empty (background only). Segment what is to be found.')];
  const what = `nothing is labelled in ${some(empty.map(({ name }) => name))}`;
  const means = 'learnt from as a scan without anything to be found. Segment it, or remove it, if that is wrong';
  const names = cases.map(({ name }) => name);
  const refused =
    names.length < Math.max(folds, 3)
      ? []
      : unlabelledFolds(names, { folds, empty: new Set(empty.map(({ name }) => name)) });
  const where = refused.map(({ fold, parts }) => `--fold ${fold} (${parts.join(' and ')})`);
  const none = `nothing is labelled in any case of a part of ${where.join(', ')}, so that no search takes ${refused.length === 1 ? 'it' : 'them'}`;
  const fix = refused.length < folds ? 'Take another fold, or add cases' : 'Add cases';
  return [
    problem('warning', folder, `${what}: each is ${means}.`),
    ...(refused.length === 0 ? [] : [problem('warning', folder, `${none}. ${fix} in which something is.`)]),
  ];
}

/** The orientation of most images, by their headers; those that can't be read are reported later. */
async function usualOrientation(cases: readonly Case[]): Promise<string> {
  const found = await mapConcurrently(cases, ({ images: [image] }) =>
    readGrid(image).then(
      ({ affine }) => [orientationOf(affine)],
      (error: unknown) => {
        passOn(image, error);
        return [];
      },
    ),
  );
  const counts = countOf(found.flat());
  return Object.keys(counts).sort((one, other) => counts[other] - counts[one] || (one < other ? -1 : 1))[0] ?? 'RAS';
}

async function examine(entry: Case, dataSet: DataSet, orientation: string, visit: CheckOptions['visit']) {
  const missing = await missingFiles(entry);
  if (missing.length > 0) return { problems: missing, summary: undefined };
  const result = await loadCase(entry);
  if (result.kind === 'unreadable') return { problems: result.problems, summary: undefined };
  const problems = checkCase(result.loaded, dataSet);
  if (problems.some(({ severity }) => severity === 'error')) return { problems, summary: undefined };
  const turned = turnCase(result.loaded, orientation);
  await visit?.(turned);
  const summary = { ...summariseCase(turned, dataSet), orientation: orientationOf(result.loaded.imageVolume.affine) };
  return { problems, summary };
}

async function missingFiles({ images, label }: Case): Promise<readonly Problem[]> {
  const files = [...images.map((file) => ({ file, what: 'an image' })), { file: label, what: 'a label' }];
  const found = await Promise.all(files.map(({ file }) => isThere(file)));
  return files
    .filter((_, i) => !found[i])
    .map(({ file, what }) =>
      problem('error', file, `listed as ${what} in dataset.json, but not there. Add it or remove its entry.`),
    );
}
