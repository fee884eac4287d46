import { type LoadedCase, loadCase, type Problem } from './case.ts';
import { checkCase, problem } from './check-case.ts';
import { mapConcurrently } from './concurrently.ts';
import type { Case, DataSet } from './dataset.ts';
import { type CaseSummary, type Fingerprint, fingerprint, summariseCase } from './fingerprint.ts';

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
  /** Given each case without an error while it is decoded, so that preparing needs no second pass over the files. */
  readonly visit?: (loaded: LoadedCase) => Promise<void>;
  /** So many cases may be in memory at once. */
  readonly atOnce?: number;
}

/** Spacing that differs from the median by more than this factor is worth a warning. */
const SPACING_FACTOR = 1.5;

/** Decodes every case once, a few at a time, and collects every problem there is. */
export async function checkDataSet(dataSet: DataSet, options: CheckOptions): Promise<CheckResult> {
  const { folds, onCase, visit, atOnce } = options;
  const total = dataSet.cases.length;
  let done = 0;
  const check = async (entry: Case): ReturnType<typeof examine> => {
    const result = await examine(entry, dataSet, visit);
    onCase?.(++done, total);
    return result;
  };
  const results = await mapConcurrently(dataSet.cases, check, atOnce);
  const summaries = results.flatMap(({ summary }) => (summary ? [summary] : []));
  const problems = [...results.flatMap((result) => result.problems), ...checkAcross(dataSet, summaries, folds)];
  const errors = problems.filter(({ severity }) => severity === 'error');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  return {
    problems: [...errors, ...warnings],
    fingerprint: summaries.length > 0 ? fingerprint(dataSet, summaries) : undefined,
  };
}

async function examine(entry: Case, dataSet: DataSet, visit: CheckOptions['visit']) {
  const result = await loadCase(entry);
  if (result.kind === 'unreadable') return { problems: result.problems, summary: undefined };
  const problems = checkCase(result.loaded, dataSet);
  if (problems.some(({ severity }) => severity === 'error')) return { problems, summary: undefined };
  await visit?.(result.loaded);
  return { problems, summary: summariseCase(result.loaded, dataSet) };
}

function checkAcross(dataSet: DataSet, summaries: readonly CaseSummary[], folds: number): readonly Problem[] {
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
    ...checkOrientation(summaries),
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

function checkOrientation(summaries: readonly CaseSummary[]): readonly Problem[] {
  const counts = new Map<string, number>();
  for (const { orientation } of summaries) counts.set(orientation, (counts.get(orientation) ?? 0) + 1);
  const [usual] = [...counts].sort(([, left], [, right]) => right - left)[0] ?? [''];
  return summaries
    .filter(({ orientation }) => orientation !== usual)
    .map(({ image, orientation }) => {
      const what = `its voxel axes point to ${orientation}, those of most cases to ${usual}`;
      return problem('warning', image, `${what}. Reorient it: the network does not look at the affine.`);
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
