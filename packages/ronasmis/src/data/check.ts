import { orientationOf } from './affine.ts';
import { type LoadedCase, loadCase, type Problem, turnCase } from './case.ts';
import { checkCase, problem } from './check-case.ts';
import { mapConcurrently } from './concurrently.ts';
import type { Case, DataSet } from './dataset.ts';
import { type CaseSummary, countOf, type Fingerprint, fingerprint, summariseCase } from './fingerprint.ts';
import { readNiftiHeader } from './nifti.ts';

/** What a look at every file of a data set found. */
export interface CheckResult {
  /** Errors first, in the order of the cases. */
  readonly problems: readonly Problem[];
  /** Of the cases without an error; undefined where there is none. */
  readonly fingerprint: Fingerprint | undefined;
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

/** Spacing that differs from the median by more than this factor is worth a warning. */
const SPACING_FACTOR = 1.5;

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
  const problems = [
    ...results.flatMap((result) => result.problems),
    ...checkAcross(dataSet, summaries, folds, orientation),
  ];
  const errors = problems.filter(({ severity }) => severity === 'error');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  return {
    problems: [...errors, ...warnings],
    fingerprint: summaries.length > 0 ? fingerprint(dataSet, summaries, orientation) : undefined,
  };
}

/** The orientation of most images, by their headers; those that can't be read are reported later. */
async function usualOrientation(cases: readonly Case[]): Promise<string> {
  const found = await Promise.all(
    cases.map(({ images: [image] }) =>
      readNiftiHeader(image).then(
        ({ affine }) => [orientationOf(affine)],
        () => [],
      ),
    ),
  );
  const counts = countOf(found.flat());
  return Object.keys(counts).sort((one, other) => counts[other] - counts[one] || (one < other ? -1 : 1))[0] ?? 'RAS';
}

async function examine(entry: Case, dataSet: DataSet, orientation: string, visit: CheckOptions['visit']) {
  const result = await loadCase(entry);
  if (result.kind === 'unreadable') return { problems: result.problems, summary: undefined };
  const problems = checkCase(result.loaded, dataSet);
  if (problems.some(({ severity }) => severity === 'error')) return { problems, summary: undefined };
  const turned = turnCase(result.loaded, orientation);
  await visit?.(turned);
  const summary = { ...summariseCase(turned, dataSet), orientation: orientationOf(result.loaded.imageVolume.affine) };
  return { problems, summary };
}

function checkAcross(
  dataSet: DataSet,
  summaries: readonly CaseSummary[],
  folds: number,
  orientation: string,
): readonly Problem[] {
  const { folder, cases } = dataSet;
  const tooFew =
    cases.length < folds
      ? [
          problem(
            'error',
            folder,
            `it has ${cases.length} cases, fewer than the ${folds} folds. Add cases or lower --folds.`,
          ),
        ]
      : [];
  return [
    ...tooFew,
    ...checkSpacing(summaries),
    ...checkOrientation(summaries, orientation),
    ...checkClasses(dataSet, summaries, folds),
    ...checkDuplicates(summaries),
  ];
}

function checkSpacing(summaries: readonly CaseSummary[]): readonly Problem[] {
  const medians = [0, 1, 2].map((axis) => {
    const sorted = summaries.map(({ spacing }) => spacing[axis]).sort((left, right) => left - right);
    return sorted[Math.floor(sorted.length / 2)];
  });
  const factor = ({ spacing }: CaseSummary) =>
    Math.max(...spacing.map((value, axis) => Math.max(value / medians[axis], medians[axis] / value)));
  const different = summaries.filter((summary) => factor(summary) > SPACING_FACTOR);
  return different.map(({ image, spacing }) => {
    // As the file states them: x first.
    const written = (millimetres: readonly number[]) =>
      millimetres
        .map((value) => value.toPrecision(3))
        .reverse()
        .join(' x ');
    const what = `its spacing of ${written(spacing)} mm is far from the median, ${written(medians)} mm`;
    return problem('warning', image, `${what}. Check its header; resample it if it is right.`);
  });
}

function checkOrientation(summaries: readonly CaseSummary[], usual: string): readonly Problem[] {
  return summaries
    .filter(({ orientation }) => orientation !== usual)
    .map(({ image, orientation }) => {
      const what = `its voxel axes point to ${orientation}, those of most cases to ${usual}`;
      return problem('warning', image, `${what}. It is turned to agree with them; check that its header is right.`);
    });
}

function checkClasses(dataSet: DataSet, summaries: readonly CaseSummary[], folds: number): readonly Problem[] {
  return dataSet.labels.slice(1).flatMap(({ value, name }, index) => {
    const present = summaries.filter(({ classVoxels }) => classVoxels[index + 1] > 0).length;
    if (present >= folds) return [];
    const what = `label ${value} (${name}) is in ${present} of ${summaries.length} cases`;
    return [problem('warning', dataSet.folder, `${what}: some folds will lack it. Add cases that show it.`)];
  });
}

function checkDuplicates(summaries: readonly CaseSummary[]): readonly Problem[] {
  const first = new Map<string, string>();
  return summaries.flatMap(({ image, imageSha256 }) => {
    const other = first.get(imageSha256);
    first.set(imageSha256, other ?? image);
    if (other === undefined) return [];
    return [
      problem('warning', image, `it is the same file as ${other}. Remove one: copies in two folds flatter the Dice.`),
    ];
  });
}
