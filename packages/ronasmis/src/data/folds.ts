import { mersenne } from 'pure-rand/generator/mersenne';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { some, UserError } from '../base/errors.ts';

/** Which cases train the shared weights, evaluate the children, and are kept for the end; sorted names. */
export interface CaseSplit {
  readonly training: readonly string[];
  /** The reward's cases. */
  readonly validation: readonly string[];
  /** The part that neither training nor reward ever sees. */
  readonly test: readonly string[];
}

/** nnU-Net's seed (`generate_crossval_split`), so that results compare with published ones. */
const NNUNET_SEED = 12345;
/** Of the cases outside the test part, in one of so many the children are evaluated. */
const VALIDATION_EVERY = 5;
const MAX_VALIDATION_CASES = 10;

/**
 * nnU-Net's split: scikit-learn's `KFold(folds, shuffle=True, random_state=12345)` over the sorted names; part `fold` is the
 * test part. Every fifth of the others (at least 1, at most 10, spread evenly over the sorted names) is for validation;
 * of those in which nothing is labelled (`empty`), the same share.
 * @throws UserError where `folds` or `fold` does not fit the number of cases.
 */
export function splitCases(
  names: readonly string[],
  { folds, fold, empty = new Set() }: { folds: number; fold: number; empty?: ReadonlySet<string> },
): CaseSplit {
  if (!Number.isInteger(folds) || folds < 2) throw new UserError(`--folds ${folds}: at least 2 folds are needed.`);
  if (!Number.isInteger(fold) || fold < 0 || fold >= folds) {
    throw new UserError(`--fold ${fold}: with --folds ${folds}, give a number from 0 to ${folds - 1}.`);
  }
  if (names.length < Math.max(folds, 3)) {
    throw new UserError(
      `The data set has ${names.length} cases, too few for ${folds} folds: at least 3 and one a fold are needed. ` +
        'Add cases or lower --folds.',
    );
  }
  const sorted = [...names].sort();
  const inTest = new Set(kFoldTestIndices(sorted.length, folds)[fold]);
  const test = sorted.filter((_, index) => inTest.has(index));
  const others = sorted.filter((_, index) => !inTest.has(index));
  const wanted = Math.round(others.length / VALIDATION_EVERY);
  const count = Math.min(MAX_VALIDATION_CASES, Math.max(1, wanted));
  const [labelled, healthy] = [false, true].map((wanted) => others.filter((name) => empty.has(name) === wanted));
  const ofHealthy = Math.min(
    Math.round((count * healthy.length) / others.length),
    labelled.length > 0 ? count - 1 : count,
  );
  const inValidation = new Set([...spread(labelled, count - ofHealthy), ...spread(healthy, ofHealthy)]);
  return {
    training: others.filter((name) => !inValidation.has(name)),
    validation: others.filter((name) => inValidation.has(name)),
    test,
  };
}

/** So many of these, spread evenly. */
const spread = (names: readonly string[], count: number): readonly string[] =>
  Array.from(
    { length: Math.min(count, names.length) },
    (_, i) => names[Math.floor(((i + 0.5) * names.length) / count)],
  );

const partNames = ['training', 'validation', 'test'] as const;

/** How cases are split, and those in which nothing is labelled. */
interface LabelledFolds {
  readonly folds: number;
  readonly empty: ReadonlySet<string>;
}

/** Those of the parts in which nothing is labelled, with their cases: they could not be learnt from, or not be scored. */
const unlabelledParts = (split: CaseSplit, empty: ReadonlySet<string>) =>
  partNames.flatMap((part) => (split[part].every((name) => empty.has(name)) ? [{ part, cases: split[part] }] : []));

/** The folds of which a part has nothing labelled, with those parts: {@link splitLabelled} refuses them. */
export function unlabelledFolds(names: readonly string[], { folds, empty }: LabelledFolds) {
  return Array.from({ length: folds }, (_, fold) => ({
    fold,
    parts: unlabelledParts(splitCases(names, { folds, fold, empty }), empty).map(({ part }) => part),
  })).filter(({ parts }) => parts.length > 0);
}

/**
 * As {@link splitCases}.
 * @throws UserError where one of the three parts has nothing labelled, with a fold of which that is not so
 */
export function splitLabelled(names: readonly string[], options: LabelledFolds & { readonly fold: number }): CaseSplit {
  const { folds, fold, empty } = options;
  const split = splitCases(names, options);
  const [without] = unlabelledParts(split, empty);
  if (without === undefined) return split;
  const refused = unlabelledFolds(names, options).map((one) => one.fold);
  const other = Array.from({ length: folds }, (_, one) => one).find((one) => !refused.includes(one));
  const fix = other === undefined ? 'No fold is better: add cases' : `Take --fold ${other}, or add cases`;
  throw new UserError(
    `--fold ${fold}: nothing is labelled in any of its ${without.part} cases (${some(without.cases)}). ${fix} in which something is.`,
  );
}

/** The test indices of each part of scikit-learn's shuffled KFold: the first `count % folds` parts have one more. */
function kFoldTestIndices(count: number, folds: number): readonly (readonly number[])[] {
  const shuffled = numpyShuffle(Array.from({ length: count }, (_, index) => index));
  const smaller = Math.floor(count / folds);
  const larger = count % folds;
  let start = 0;
  return Array.from({ length: folds }, (_, part) => {
    const end = start + smaller + (part < larger ? 1 : 0);
    const indices = shuffled.slice(start, end);
    start = end;
    return indices;
  });
}

/** `numpy.random.RandomState(12345).shuffle`: Fisher-Yates from the back over MT19937, drawn by masked rejection. */
function numpyShuffle(values: readonly number[]): readonly number[] {
  const generator = mersenne(NNUNET_SEED);
  const shuffled = [...values];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = maskedDraw(generator, last);
    [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]];
  }
  return shuffled;
}

/** An integer in [0, max] from the lowest bits of a draw, drawn again while it is larger. */
function maskedDraw(generator: RandomGenerator, max: number): number {
  const mask = 2 ** (32 - Math.clz32(max)) - 1;
  for (;;) {
    const drawn = generator.next() & mask;
    if (drawn <= max) return drawn;
  }
}
