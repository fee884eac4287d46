import { basename } from 'node:path';
import { mapConcurrently } from '../base/concurrency.ts';
import { allErrors, outcomeOf, sortOutcomes, UserError } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import { beside } from '../data/check-case.ts';
import type { Labelling } from '../data/description.ts';
import { counterpartNames } from '../formats/case-names.ts';
import { SCAN_ENDINGS } from '../formats/formats.ts';
import { placeOn } from '../formats/placement.ts';
import { readLabelMap } from '../formats/read-volume.ts';
import { listScans } from '../formats/scan-files.ts';
import type { Volume } from '../formats/volume.ts';
import { probabilitiesSuffix } from '../preparation/label-map.ts';
import { meanInterval } from './paired-tests.ts';
import { type ClassScores, scoreLabelling } from './scores.ts';
import { type CaseScores, caseMean, type DiceSummary, type Spread, spreadOf, summariseDice } from './summary.ts';

/** What `evaluate` found. Classes are label values as text. */
export type Evaluation = {
  readonly tolerance_mm: number;
  /** Patient-wise mean Dice, mean per class, and per case. */
  readonly dice: DiceSummary;
  /** 95 % interval of the patient-wise mean Dice (Student's t over the cases); null for a single case. */
  readonly dice_interval: { readonly low: number; readonly high: number } | null;
  /** Mean and standard deviation over the cases, per class and score; no class where all label maps are empty. */
  readonly classes: Readonly<Record<string, Readonly<Record<keyof ClassScores, Spread | null>>>>;
  readonly cases: Readonly<Record<string, Readonly<Record<string, ClassScores>>>>;
  /** Names of labels for which there is no prediction; they are in no mean. */
  readonly without_prediction: readonly string[];
  /** Of predictions that lie a little beside their labels, a sentence each. */
  readonly warnings: readonly string[];
  /** A sentence for each prediction that could not be scored; they are in no mean. */
  readonly problems: readonly string[];
};

/** More distinct values than this mean that a file is an image and not a label map. */
const MOST_CLASSES = 255;

/**
 * Compares every prediction of a folder with the label file of the same name. One that can't be is told of, and the others are scored.
 * @param options with `toleranceMillimetres`: how far off a surface may be to count as right in NSD: 1 where it is left out
 * @throws UserError for a folder without label maps, and where nothing can be scored: predictions without labels, of different shapes or
 *   affines, with values that are no label values
 */
export async function evaluate(
  predictions: string,
  labels: string,
  { toleranceMillimetres = 1 }: { readonly toleranceMillimetres?: number } = {},
  onCase: (done: number, total: number) => void = () => {},
): Promise<Evaluation> {
  const ones = { folder: predictions, paths: await listLabelMaps(predictions) };
  const others = { folder: labels, paths: await listLabelMaps(labels) };
  const [names, counterparts] = counterpartNames(ones, others);
  const predicted = byName(ones.paths, names);
  const expected = byName(others.paths, counterparts);
  const pairOf = ([name, files]: readonly [string, readonly string[]]): LabelPair => {
    const reference = referenceOf(name, files[0], expected, labels);
    return { name, prediction: only(files), reference };
  };
  const { results, problems } = await scorePairs([...predicted], pairOf, { toleranceMillimetres }, onCase);
  return {
    ...evaluationOf(results, problems, toleranceMillimetres),
    without_prediction: [...expected.keys()].filter((name) => !predicted.has(name)),
  };
}

/** A prediction and the label map that it is compared with. */
export interface LabelPair {
  readonly name: string;
  readonly prediction: string;
  readonly reference: string;
}

/**
 * As {@link evaluate}, of files that are named one by one, and of what a data set scores: its regions in place of its labels where it has any,
 * and nothing where a label map has its ignored value.
 * @throws UserError that names each pair that can't be scored: none is left out
 */
export async function evaluatePairs(
  pairs: readonly LabelPair[],
  {
    toleranceMillimetres = 1,
    ...scored
  }: { readonly toleranceMillimetres?: number } & Partial<Pick<Labelling, 'regions' | 'ignoredValue'>> = {},
  onCase: (done: number, total: number) => void = () => {},
): Promise<Omit<Evaluation, 'without_prediction' | 'problems'>> {
  const how = { toleranceMillimetres, ...scored };
  const { results, problems } = await scorePairs(pairs, (pair) => pair, how, onCase);
  if (problems.length > 0) throw allErrors(problems);
  return evaluationOf(results, [], toleranceMillimetres);
}

type ScoredPair = { readonly name: string } & Awaited<ReturnType<typeof evaluateCase>>;

/** @param pairOf throws a UserError where there is no pair */
async function scorePairs<Item>(
  items: readonly Item[],
  pairOf: (item: Item) => LabelPair,
  how: ScoreOptions,
  onCase: (done: number, total: number) => void,
): Promise<{ readonly results: readonly ScoredPair[]; readonly problems: readonly string[] }> {
  let done = 0;
  const outcomes = await mapConcurrently(items, async (item) => {
    const outcome = await outcomeOf(async () => {
      const { name, prediction, reference } = pairOf(item);
      return { name, ...(await evaluateCase(prediction, reference, how)) };
    });
    onCase(++done, items.length);
    return outcome;
  });
  return sortOutcomes(outcomes);
}

function evaluationOf(scored: readonly ScoredPair[], problems: readonly string[], tolerance: number) {
  return {
    tolerance_mm: tolerance,
    ...summarise(
      scored.map(({ name, scores }) => [name, scores]),
      problems,
    ),
    warnings: scored.flatMap(({ warning }) => warning?.message ?? []),
    problems,
  };
}

/** Label maps of a folder, sorted. */
async function listLabelMaps(folder: string): Promise<readonly string[]> {
  const files = await listScans(folder);
  if (files.length === 0) {
    const endings = SCAN_ENDINGS.join(', ');
    throw new UserError(`${folder} holds no label map (${endings} or a folder of DICOM): name the right folder.`);
  }
  return files;
}

/** Label maps by their names; several where some are called alike. */
function byName(files: readonly string[], names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const named = new Map(groupBy(files, (_, i) => names[i]));
  // Class probabilities that lie beside a label map are none.
  for (const name of [...named.keys()]) named.delete(`${name}${probabilitiesSuffix}`);
  return named;
}

/** @throws UserError where several files are called alike */
function only([file, other]: readonly string[]): string {
  if (other !== undefined) throw new UserError(`${other}: ${basename(file)} has the same name. Keep one of the two.`);
  return file;
}

function referenceOf(
  name: string,
  file: string,
  expected: ReadonlyMap<string, readonly string[]>,
  folder: string,
): string {
  const found = expected.get(name);
  if (found) return only(found);
  throw new UserError(`${file} has no label of the same name in ${folder}: add it, or move the prediction away.`);
}

/** How surfaces are compared, and what of the labels is. */
type ScoreOptions = { readonly toleranceMillimetres: number } & Partial<Pick<Labelling, 'regions' | 'ignoredValue'>>;

async function evaluateCase(predictionFile: string, referenceFile: string, how: ScoreOptions) {
  const [prediction, reference] = await mapConcurrently([predictionFile, referenceFile], readLabels);
  const { kind, volume, what, voxels } = placeOn(prediction, reference);
  if (kind === 'elsewhere')
    throw new UserError(`${predictionFile}: ${what}. Write the prediction on the scan's own grid.`);
  const grid = { shape: reference.shape, spacing: reference.spacing, toleranceMillimetres: how.toleranceMillimetres };
  const scores = scoreLabelling(volume.data, reference.data, how, grid);
  return { scores, ...(kind === 'near' && { warning: beside({ file: predictionFile, what, voxels }, 'predictions') }) };
}

async function readLabels(file: string): Promise<Volume> {
  const volume = await readLabelMap(file);
  const { data } = volume;
  const values = new Set<number>();
  for (let voxel = 0; voxel < data.length; voxel++) {
    // Neighbours are mostly equal: a look-up only where the value changes.
    if (voxel === 0 || data[voxel] !== data[voxel - 1]) values.add(data[voxel]);
  }
  // Of larger ones, neighbours can't be told apart any more.
  const wrong = [...values].find((value) => !Number.isSafeInteger(value) || value < 0);
  if (wrong !== undefined || values.size > MOST_CLASSES) {
    const what = wrong === undefined ? `${values.size} different values` : `the value ${wrong}`;
    throw new UserError(`${file} holds ${what}, so it is no label map: label values are whole numbers from 0 on.`);
  }
  return volume;
}

function summarise(
  scores: readonly (readonly [string, ReadonlyMap<string, ClassScores>])[],
  problems: readonly string[],
) {
  if (scores.length === 0) throw allErrors(problems);
  const labels = [...new Set(scores.flatMap(([, classes]) => [...classes.keys()]))].sort(
    (a, b) => Number(a) - Number(b),
  );
  const nothing = { prediction_mm3: 0, reference_mm3: 0, false_positive_mm3: 0 };
  const absent: ClassScores = { dice: null, hd95_mm: null, nsd: null, ...nothing };
  const table = scores.map(([name, classes]): [string, Record<string, ClassScores>] => [
    name,
    Object.fromEntries(labels.map((label) => [label, classes.get(label) ?? absent])),
  ]);
  const spread = (label: string, score: keyof ClassScores) =>
    spreadOf(table.map(([, classes]) => classes[label][score]));
  const dice = table.map(([name, classes]): [string, CaseScores] => [name, diceOf(classes)]);
  return {
    dice: summariseDice(Object.fromEntries(dice)),
    dice_interval: meanInterval(dice.flatMap(([, scores]) => caseMean(scores) ?? [])),
    classes: Object.fromEntries(
      labels.map((label) => [
        label,
        {
          dice: spread(label, 'dice'),
          hd95_mm: spread(label, 'hd95_mm'),
          nsd: spread(label, 'nsd'),
          prediction_mm3: spread(label, 'prediction_mm3'),
          reference_mm3: spread(label, 'reference_mm3'),
          false_positive_mm3: spread(label, 'false_positive_mm3'),
        },
      ]),
    ),
    cases: Object.fromEntries(table),
  };
}

function diceOf(classes: Readonly<Record<string, ClassScores>>): CaseScores {
  return Object.fromEntries(Object.entries(classes).map(([label, scores]) => [label, scores.dice]));
}

export const csvColumns = [
  'dice',
  'hd95_mm',
  'nsd',
  'prediction_mm3',
  'reference_mm3',
  'false_positive_mm3',
] as const satisfies readonly (keyof ClassScores)[];

const csvHead = ['case', 'label', ...csvColumns].join(',');

const csvScores = `(?:,[-+.\\de]*){${csvColumns.length}}`;
const csvTable = new RegExp(`^${csvHead}\\n(?:(?:"(?:[^"]|"")*"|[^",\\n]*),\\d+${csvScores}\\n)*$`);

/** Whether a file's content is such a table, and nothing more: no column, line or note that somebody has added. */
export const isCsv = (content: string): boolean => csvTable.test(content);

/** Every score as comma-separated values, a line a case and class; empty where a score is undefined. */
export function toCsv({ cases }: Pick<Evaluation, 'cases'>): string {
  const lines = Object.entries(cases).flatMap(([name, classes]) =>
    Object.entries(classes).map(([label, scores]) =>
      [quoted(name), label, ...csvColumns.map((column) => scores[column] ?? '')].join(','),
    ),
  );
  return `${[csvHead, ...lines].join('\n')}\n`;
}

/** A text as RFC 4180 writes it where it holds a comma, a quote or a line break. */
export function quoted(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
