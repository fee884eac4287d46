import { isDeepStrictEqual } from 'node:util';
import { narrow, noGradient, scope } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { dataTypeOf } from '../engine/device.ts';
import { type CaseScores, patientMean } from '../evaluation/summary.ts';
import { segment } from '../inference/segment.ts';
import { looksOf } from '../inference/tiles.ts';
import { networkOf } from '../network/of-architecture.ts';
import { freeNetworkWeights, networkWeights, type Weights } from '../network/weights.ts';
import { downsampledShape } from '../preparation/downsampling.ts';
import type { PreparedCase } from '../preparation/prepare.ts';
import { whereMemorySuffices } from '../training/out-of-memory.ts';
import { type ClassCounts, classesToClean, countClasses, scoresOf } from './class-counts.ts';
import type { RunContext } from './context.ts';
import { type DeviceBatch, freeBatches, toOwnGridBatch } from './device-batches.ts';

/** What children are evaluated with, and on which cases. */
export interface Evaluator {
  readonly context: RunContext;
  /** Those that they share. */
  readonly weights: Weights;
  readonly batches: readonly DeviceBatch[];
}

/** Scores by case name. */
type NamedScores = Readonly<Record<string, CaseScores>>;

/** What a child's evaluation at one step came to. */
export interface Evaluation {
  /** The validation patient-wise Dice, a fraction. */
  readonly reward: number;
  readonly scores: NamedScores;
  /** Class indices whose small components were removed, for these cases are no worse so. */
  readonly cleaned: readonly number[];
  /** That this took; of a child that was proposed more than once, the first time. Left out where memory did not suffice. */
  readonly seconds?: number;
  /** Memory did not suffice to evaluate it: its reward is 0, and it is never chosen where another one was evaluated. */
  readonly outOfMemory?: true;
}

/** What can be evaluated. */
export interface Evaluable {
  readonly architecture: Architecture;
}

/** How evaluation is watched and stopped. */
export interface EvaluationHooks {
  /** Awaited after every pass: how many children are evaluated, of how many. */
  readonly between: (done: number, total: number) => Promise<void>;
  /** Awaited after every child, or every few that ranks evaluate at once. */
  readonly meet: () => Promise<void>;
  /** Whether the children that are left have to go without an evaluation. The first is evaluated whatever it says. */
  readonly mustStop: () => boolean;
}

/**
 * Phase two of a controller step: every child segments every validation case, by default in one shot (paper, section 2.3). Rewards are Dice at
 * the data set's spacing: bringing every prediction back to its scan's grid would only cost time, for children are compared with each other.
 * One that was proposed more than once is evaluated once. Ranks share the passes, and all know what came of them.
 */
export async function evaluateChildren<Child extends Evaluable>(
  evaluator: Evaluator,
  children: readonly Child[],
  { between, meet, mustStop }: EvaluationHooks,
): Promise<readonly (Child & Evaluation)[]> {
  const { batches, context } = evaluator;
  const atOnce = Math.max(1, Math.floor(context.team.size / batches.length));
  const different = children.filter((child, at) => !evaluatedTwin(children.slice(0, at), child));
  const known: (Evaluable & { readonly evaluation: Evaluation })[] = [];
  for (let first = 0; first < different.length; first += atOnce) {
    if (first > 0 && mustStop()) break;
    const architectures = different.slice(first, first + atOnce).map(({ architecture }) => architecture);
    const evaluations = await evaluateTogether(evaluator, architectures, () => between(first, different.length));
    known.push(...architectures.map((architecture, at) => ({ architecture, evaluation: evaluations[at] })));
    await meet();
  }
  return children.flatMap((child) => {
    const twin = evaluatedTwin(known, child);
    return twin ? [{ ...child, ...twin.evaluation }] : [];
  });
}

/** The one among evaluated children that has this architecture. */
export function evaluatedTwin<Child extends Evaluable>(
  evaluated: readonly Child[],
  { architecture }: Evaluable,
): Child | undefined {
  return evaluated.find((child) => isDeepStrictEqual(child.architecture, architecture));
}

/** The child with the largest reward, the first of equals. Throws where there is none. */
export function bestOf<Child extends Pick<Evaluation, 'reward'>>(children: readonly Child[]): Child {
  return children.reduce((best, child) => (child.reward > best.reward ? child : best));
}

/** How many architectures differ among these children. */
export function countDifferent(children: readonly Evaluable[]): number {
  return new Set(children.map(({ architecture }) => JSON.stringify(architecture))).size;
}

/** Networks on the validation cases, each pass by one of the ranks. */
async function evaluateTogether(
  evaluator: Evaluator,
  architectures: readonly Architecture[],
  between: () => Promise<void>,
): Promise<readonly Evaluation[]> {
  const { batches, context } = evaluator;
  const { team } = context;
  const own = new Set(
    team.share(architectures.flatMap((_, network) => batches.map((_, batch) => `${network} ${batch}`))),
  );
  const mine: PartialEvaluation[] = [];
  for (const [at, architecture] of architectures.entries()) {
    const part = { ...evaluator, batches: batches.filter((_, batch) => own.has(`${at} ${batch}`)) };
    mine.push(await evaluateWithinMemory(part, architecture, between));
  }
  const ofAll = team.gather(mine);
  const names = batches.flatMap(({ cases }) => cases.map(({ name }) => name));
  return architectures.map((_, at) =>
    joined(
      ofAll.map((parts) => parts[at]),
      names,
      context,
    ),
  );
}

/** What a rank found of a network, of the cases that it had; nothing where memory did not suffice. */
interface PartialEvaluation {
  readonly counts: CountsByCase | null;
  readonly seconds: number;
}

async function evaluateWithinMemory(
  evaluator: Evaluator,
  architecture: Architecture,
  between: () => Promise<void>,
): Promise<PartialEvaluation> {
  const since = performance.now();
  const found = await whereMemorySuffices(evaluator.context.device, () => countCases(evaluator, architecture, between));
  return { counts: found ?? null, seconds: (performance.now() - since) / 1000 };
}

/** What all ranks found of a network, its cases in this order. */
function joined(parts: readonly PartialEvaluation[], names: readonly string[], context: RunContext): Evaluation {
  if (parts.some(({ counts }) => counts === null)) return { reward: 0, scores: {}, cleaned: [], outOfMemory: true };
  const found: CountsByCase = Object.assign({}, ...parts.map(({ counts }) => counts));
  const counts = Object.fromEntries(names.map((name) => [name, found[name]]));
  const scores = scoresOfCases(counts, context);
  // A child that finds nothing where nothing is left to be found has earned nothing.
  return {
    reward: patientMean(Object.values(scores.scores)) ?? 0,
    ...scores,
    seconds: Math.max(...parts.map(({ seconds }) => seconds)),
  };
}

/** What was predicted of cases, by their names. */
type CountsByCase = Readonly<Record<string, ClassCounts>>;

/**
 * Segments every volume as `predict` does and counts what came of it. It is the grid of the label. `between` is awaited after every pass, so
 * that a search can be stopped there.
 * @param cleaned class indices whose small components are removed; where it is left out, those are looked for of which {@link classesToClean} decides
 */
async function countCases(
  { context, weights, batches }: Evaluator,
  architecture: Architecture,
  between: () => Promise<void>,
  cleaned?: readonly number[],
): Promise<CountsByCase> {
  const counted: [string, ClassCounts][] = [];
  const { inference } = context.recipe;
  const components = cleaned ? cleaned.length > 0 : inference.removes_small_components;
  const looks = looksOf(inference, architecture);
  const network = networkOf(architecture, context.dimensions);
  const own = noGradient(() => networkWeights(network, weights, dataTypeOf[context.precision]));
  try {
    for (const { image, label, cases, downsampling, thickAxis } of batches) {
      const [tile, region] = [looks.window, looks.region].map(
        (size) => size && downsampledShape(size, downsampling ?? [1, 1, 1]),
      );
      const plan = { size: label.shape.slice(1), tile, region, inference, thickAxis };
      noGradient(() =>
        scope(() => {
          const predictions = segment(network, own, image, plan);
          cases.forEach(({ name, outsideCrop }, index) => {
            const [prediction, reference] = [predictions, label].map((all) => narrow(all, 0, index, 1));
            counted.push([name, countClasses(prediction, reference, context, { outsideCrop, components })]);
          });
        }),
      );
      await between();
    }
  } finally {
    freeNetworkWeights(own, weights);
  }
  return Object.fromEntries(counted);
}

/**
 * Dice of each foreground class of each case, by case name and label value; `null` where neither prediction nor label has the class.
 * @param cleaned class indices whose small components are taken for background; where it is left out, as {@link classesToClean}, if the recipe has it
 */
function scoresOfCases(
  counts: CountsByCase,
  context: RunContext,
  cleaned = context.recipe.inference.removes_small_components ? classesToClean(Object.values(counts), context) : [],
): Pick<Evaluation, 'scores' | 'cleaned'> {
  const scores = Object.entries(counts).map(([name, ofCase]) => [name, scoresOf(ofCase, context, cleaned)] as const);
  return { scores: Object.fromEntries(scores), cleaned };
}

/** What {@link countCases} counts, scored by {@link scoresOfCases}. */
export async function evaluate(
  evaluator: Evaluator,
  architecture: Architecture,
  between: () => Promise<void>,
  cleaned?: readonly number[],
): Promise<Pick<Evaluation, 'scores' | 'cleaned'>> {
  return scoresOfCases(await countCases(evaluator, architecture, between, cleaned), evaluator.context, cleaned);
}

/** Dice of one case on the scan's own grid, with what was chosen on others. */
export async function evaluateOnOwnGrid(
  { context, weights }: Omit<Evaluator, 'batches'>,
  { architecture, cleaned }: Evaluable & Pick<Evaluation, 'cleaned'>,
  prepared: PreparedCase,
  between: () => Promise<void>,
): Promise<NamedScores> {
  const batches = [await toOwnGridBatch(context, prepared)];
  try {
    return (await evaluate({ context, weights, batches }, architecture, between, cleaned)).scores;
  } finally {
    freeBatches(batches);
  }
}
