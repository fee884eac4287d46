import { isDeepStrictEqual } from 'node:util';
import {
  concatenate,
  confusionMatrix,
  emptyCache,
  isOutOfMemory,
  multiply,
  narrow,
  noGradient,
  notEqualScalar,
  scope,
  type Tensor,
  to,
} from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { voxelsOf } from '../base/geometry.ts';
import { groupBy } from '../base/group-by.ts';
import { readOwnLabel } from '../data/cropped-label.ts';
import { IGNORED_CLASS } from '../data/description.ts';
import { dataTypeOf } from '../engine/device.ts';
import { diceOfOverlap } from '../evaluation/dice.ts';
import { type CaseScores, patientMean } from '../evaluation/summary.ts';
import { segment, toImage } from '../inference/segment.ts';
import { childNetwork } from '../network/child.ts';
import { freeNetworkWeights, networkWeights, type Weights } from '../network/weights.ts';
import { imageOf, isResampled, labelOf, type PreparedCase } from '../preparation/prepare.ts';
import { type Thinning, thinImages, thinLabels, thinnedShape } from '../preparation/thinning.ts';
import { type SearchContext, toLabel } from './context.ts';

/**
 * Whole cases of one shape on the device: image `[batch, channel, depth, height, width]`, label `[batch, depth, height, width]`, which
 * may be on a finer or coarser grid than the image.
 */
export interface DeviceBatch {
  readonly image: Tensor;
  readonly label: Tensor;
  readonly cases: readonly JudgedCase[];
}

interface JudgedCase {
  readonly name: string;
  /** By class index, voxels (of the label's size) of the label outside of what the network sees. */
  readonly outsideCrop: readonly number[];
}

/** Voxels that small cases of one shape may have together to be segmented in one pass. */
const batchVoxels = 2 ** 18;

/** Cases on the device, as {@link judgedTogether}; thinned where a coarse search judges on them. */
export function toDeviceBatches(
  context: SearchContext,
  cases: readonly PreparedCase[],
  thinning?: Thinning,
): readonly DeviceBatch[] {
  return judgedTogether(cases).map((group) => toDeviceBatch(context, group, thinning));
}

/** Small cases of one shape together, for a pass over several takes less time than one over each. */
export function judgedTogether(cases: readonly PreparedCase[]): readonly (readonly PreparedCase[])[] {
  const groups = groupBy(cases, ({ shape }) => String(shape));
  return [...groups.values()].flatMap((group) => {
    const [depth, height, width] = group[0].shape;
    const most = Math.max(1, Math.floor(batchVoxels / (depth * height * width)));
    return Array.from({ length: Math.ceil(group.length / most) }, (_, index) =>
      group.slice(index * most, (index + 1) * most),
    );
  });
}

function toDeviceBatch(
  { device, precision }: SearchContext,
  cases: readonly PreparedCase[],
  thinning: Thinning = [1, 1, 1],
): DeviceBatch {
  const [{ channels, shape }] = cases;
  const size = thinnedShape(shape, thinning);
  const joined = (parts: readonly Tensor[]): Tensor => (parts.length === 1 ? parts[0] : concatenate(parts, 0));
  const image = (one: PreparedCase): Tensor =>
    toImage(thinImages(imageOf(one), shape, thinning), [1, channels, ...size], device, dataTypeOf[precision]);
  return scope(() => ({
    image: joined(cases.map(image)),
    label: joined(cases.map((one) => toLabel(thinLabels(labelOf(one), shape, thinning), [1, ...size], device))),
    cases: cases.map(({ name, outsideCrop }) => ({
      name,
      outsideCrop: outsideCrop.map((voxels) => voxels / voxelsOf(thinning)),
    })),
  }));
}

/** A case with its label on the scan's own grid, read again where the case was resampled: predictions are brought back for it. */
export async function toOwnGridBatch(context: SearchContext, prepared: PreparedCase): Promise<DeviceBatch> {
  if (!isResampled(prepared)) return toDeviceBatch(context, [prepared]);
  const { label, outsideCrop } = await readOwnLabel(prepared, context);
  const batch = toDeviceBatch(context, [prepared]);
  batch.label.free();
  return {
    image: batch.image,
    label: toLabel(label, [1, ...prepared.crop.shape], context.device),
    cases: [{ name: prepared.name, outsideCrop }],
  };
}

export function freeBatches(batches: readonly DeviceBatch[]): void {
  for (const { image, label } of batches) for (const tensor of [image, label]) tensor.free();
}

/** The case of this name, as it was prepared. */
export function caseNamed(context: SearchContext, name: string): PreparedCase {
  const found = context.cases.find((prepared) => prepared.name === name);
  if (!found) throw new Error(`No case is called '${name}'.`);
  return found;
}

/**
 * Dice of each foreground class of each case, every volume predicted in one shot, by case name and label value; `null` where
 * neither prediction nor label has the class. It is that of the grid of the label. `between` is awaited after every pass, so that a search can be stopped there.
 */
export async function judge(
  context: SearchContext,
  weights: Weights,
  child: Architecture,
  batches: readonly DeviceBatch[],
  between: () => Promise<void>,
): Promise<NamedScores> {
  const scores: [string, CaseScores][] = [];
  const network = childNetwork(child, context.dimensions);
  const own = noGradient(() => networkWeights(network, weights, dataTypeOf[context.precision]));
  try {
    for (const { image, label, cases } of batches) {
      noGradient(() =>
        scope(() => {
          const predictions = segment(network, own, image, { size: label.shape.slice(1) });
          cases.forEach(({ name, outsideCrop }, index) => {
            const [prediction, reference] = [predictions, label].map((all) => narrow(all, 0, index, 1));
            scores.push([name, compare(prediction, reference, context, outsideCrop)]);
          });
        }),
      );
      await between();
    }
  } finally {
    freeNetworkWeights(own, weights);
  }
  return Object.fromEntries(scores);
}

/** Dice of what is scored, of a prediction and a label in class indices. */
function compare(
  prediction: Tensor,
  label: Tensor,
  { labelValues, scored, ignoredValue }: SearchContext,
  outsideCrop: readonly number[],
): CaseScores {
  const all = labelValues.length;
  // Where nothing is scored, both are made background, which has no Dice.
  const kept = ignoredValue !== undefined ? to(notEqualScalar(label, IGNORED_CLASS), { dataType: 'uint8' }) : undefined;
  const [predictions, labels] = [prediction, label].map((one) => (kept ? multiply(one, kept) : one));
  const counts = confusionMatrix(predictions, labels, all).toNumbers();
  const indices = Array.from({ length: all }, (_, index) => index);
  const voxels = (labelled: readonly number[], predicted: readonly number[]): number =>
    total(labelled.flatMap((row) => predicted.map((column) => counts[row * all + column])));
  const entries = scored.map(({ name, classes }) => {
    const outside = total(classes.map((index) => outsideCrop[index]));
    const reference = voxels(classes, indices) + outside;
    const overlap = { predicted: voxels(indices, classes), reference, both: voxels(classes, classes) };
    return [name, diceOfOverlap(overlap)];
  });
  return Object.fromEntries(entries);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Scores by case name. */
type NamedScores = Readonly<Record<string, CaseScores>>;

/** A child as it was judged at one step: its reward is the validation patient-wise Dice. */
export interface JudgedChild {
  readonly architecture: Architecture;
  readonly reward: number;
  readonly scores: NamedScores;
  /** Memory did not suffice to judge it: its reward is 0, and it is never chosen where another one was judged. */
  readonly outOfMemory?: true;
}

/** How judging is watched and stopped. */
export interface JudgingHooks {
  /** Awaited after every pass: how many children are judged, of how many. */
  readonly between: (done: number, total: number) => Promise<void>;
  /** Whether the children that are left have to go without a judgement. The first is judged whatever it says. */
  readonly mustStop: () => boolean;
}

/**
 * Phase two of a controller step: every child segments every validation case in one shot (paper, section 2.3). Rewards are Dice at the
 * data set's spacing: bringing every prediction back to its scan's grid would only cost time, for children are compared with each other. One that was proposed
 * more than once is judged once, and both are the same object.
 */
export async function judgeChildren(
  context: SearchContext,
  weights: Weights,
  children: readonly Architecture[],
  validation: readonly DeviceBatch[],
  { between, mustStop }: JudgingHooks,
): Promise<readonly JudgedChild[]> {
  const judged: JudgedChild[] = [];
  for (const architecture of children) {
    if (judged.length > 0 && mustStop()) break;
    const twin = judgedTwin(judged, architecture);
    if (twin) {
      judged.push(twin);
      continue;
    }
    judged.push(
      await judgeWithinMemory(context, weights, architecture, validation, () =>
        between(judged.length, children.length),
      ),
    );
  }
  return judged;
}

async function judgeWithinMemory(...given: Parameters<typeof judge>): Promise<JudgedChild> {
  const [{ device }, , architecture] = given;
  try {
    const scores = await judge(...given);
    // A child that finds nothing where nothing is left to be found has earned nothing.
    return { architecture, reward: patientMean(Object.values(scores)) ?? 0, scores };
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    emptyCache(device);
    return { architecture, reward: 0, scores: {}, outOfMemory: true };
  }
}

/** The one among judged children that is this architecture. */
export function judgedTwin(judged: readonly JudgedChild[], architecture: Architecture): JudgedChild | undefined {
  return judged.find((child) => isDeepStrictEqual(child.architecture, architecture));
}

/** As {@link judge}, one case on the scan's own grid. */
export async function judgeOnOwnGrid(
  context: SearchContext,
  weights: Weights,
  child: Architecture,
  prepared: PreparedCase,
  between: () => Promise<void>,
): Promise<NamedScores> {
  const batches = [await toOwnGridBatch(context, prepared)];
  try {
    return await judge(context, weights, child, batches, between);
  } finally {
    freeBatches(batches);
  }
}

/** Seconds of a one-shot prediction of a case by `child`, after a first one. */
export function measureJudging(
  context: SearchContext,
  weights: Weights,
  child: Architecture,
  prepared: PreparedCase,
): number {
  return noGradient(() =>
    scope(() => {
      const { image } = toDeviceBatch(context, [prepared]);
      const network = childNetwork(child, context.dimensions);
      const own = networkWeights(network, weights, dataTypeOf[context.precision]);
      segment(network, own, image);
      const started = performance.now();
      segment(network, own, image).toArray();
      return (performance.now() - started) / 1000;
    }),
  );
}
