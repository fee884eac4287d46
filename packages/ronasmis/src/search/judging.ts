import { confusionMatrix, noGradient, scope, type Tensor } from '@ronasmis/libtorch';
import { imageOf, labelOf, type PreparedCase } from '../data/prepare.ts';
import { dataTypeOf } from '../device.ts';
import { diceOfOverlap } from '../evaluation/dice.ts';
import { type CaseScores, patientMean } from '../evaluation/summary.ts';
import { segment, toImage } from '../inference/segment.ts';
import { castWeights, childWeightNames, type Weights } from '../network/weights.ts';
import type { Architecture } from '../space/architecture.ts';
import { type SearchContext, toLabel } from './context.ts';

/** A whole case on the device: image `[1, channel, depth, height, width]`, label `[1, depth, height, width]`. */
export interface DeviceCase {
  readonly name: string;
  readonly image: Tensor;
  readonly label: Tensor;
  /** By class index, voxels of the label outside of what the network sees. */
  readonly outsideCrop: readonly number[];
}

export function toDeviceCase(context: SearchContext, prepared: PreparedCase): DeviceCase {
  const { device, precision } = context;
  const { name, channels, shape, outsideCrop } = prepared;
  return {
    name,
    outsideCrop,
    image: toImage(imageOf(prepared), [1, channels, ...shape], device, dataTypeOf[precision]),
    label: toLabel(labelOf(prepared), [1, ...shape], device),
  };
}

/** The case of this name, as it was prepared. */
export function caseNamed(context: SearchContext, name: string): PreparedCase {
  const found = context.cases.find((prepared) => prepared.name === name);
  if (!found) throw new Error(`No case is called '${name}'.`);
  return found;
}

/**
 * Dice of each foreground class of each case, every volume predicted in one shot, by label value; `null` where neither
 * prediction nor label has the class. `between` is awaited after every case, so that a search can be stopped there.
 */
export async function judge(
  context: SearchContext,
  weights: Weights,
  child: Architecture,
  cases: readonly DeviceCase[],
  between: () => Promise<void>,
): Promise<readonly CaseScores[]> {
  const scores: CaseScores[] = [];
  const cast = noGradient(() =>
    scope(() => castWeights(weights, childWeightNames(child), dataTypeOf[context.precision])),
  );
  for (const { image, label, outsideCrop } of cases) {
    scores.push(
      noGradient(() => scope(() => compare(segment(cast, child, image), label, context.labelValues, outsideCrop))),
    );
    await between();
  }
  if (cast !== weights) for (const tensor of cast.values()) tensor.free();
  return scores;
}

/** Dice by label value, of a prediction and a label in class indices. */
function compare(
  prediction: Tensor,
  label: Tensor,
  labelValues: readonly number[],
  outsideCrop: readonly number[],
): CaseScores {
  const classes = labelValues.length;
  const counts = confusionMatrix(prediction, label, classes).toNumbers();
  const indices = Array.from({ length: classes }, (_, index) => index);
  const entries = indices.slice(1).map((index) => {
    const predicted = indices.reduce((sum, row) => sum + counts[row * classes + index], 0);
    const reference = indices.reduce((sum, column) => sum + counts[index * classes + column], outsideCrop[index]);
    return [String(labelValues[index]), diceOfOverlap({ predicted, reference, both: counts[index * classes + index] })];
  });
  return Object.fromEntries(entries);
}

/** A child as it was judged at one step: its reward is the validation patient-wise Dice. */
export interface JudgedChild {
  readonly architecture: Architecture;
  readonly reward: number;
  readonly scores: readonly CaseScores[];
}

/** Phase two of a controller step: every child segments every validation case in one shot (paper, section 2.3). */
export async function judgeChildren(
  context: SearchContext,
  weights: Weights,
  children: readonly Architecture[],
  validation: readonly DeviceCase[],
  between: (done: number, total: number) => Promise<void>,
): Promise<readonly JudgedChild[]> {
  const judged: JudgedChild[] = [];
  for (const architecture of children) {
    const scores = await judge(context, weights, architecture, validation, () =>
      between(judged.length, children.length),
    );
    judged.push({ architecture, reward: patientMean(scores), scores });
  }
  return judged;
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
      const { image } = toDeviceCase(context, prepared);
      const cast = castWeights(weights, childWeightNames(child), dataTypeOf[context.precision]);
      segment(cast, child, image);
      const started = performance.now();
      segment(cast, child, image).toArray();
      return (performance.now() - started) / 1000;
    }),
  );
}
