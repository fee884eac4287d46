import {
  add,
  concatenate,
  copyInPlace,
  embedding,
  expand,
  exponential,
  gather,
  linear,
  logSoftmax,
  lstmCell,
  manualSeed,
  multiply,
  multiplyScalar,
  negate,
  noGradient,
  reshape,
  scope,
  stack,
  sum,
  type Tensor,
  tanh,
  tensor,
  uniformInPlace,
  zeros,
} from '@ronasmis/libtorch';
import type { Random } from '../base/random.ts';
import { mean } from '../base/statistics.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { Decision, DecisionSpace } from '../space/space.ts';
import type { Choices } from './controller.ts';
import { sampleIndex } from './draw.ts';

/**
 * The controller: an LSTM that makes one decision after the other, each fed back to it as an embedding (paper, Fig. 1).
 * What takes in an earlier part of the network is decided by attention to that part, as ENAS decides on the earlier layers of a layer.
 */
export interface Policy {
  readonly weights: ReadonlyMap<string, Tensor>;
  /** What it decides on. */
  readonly space: DecisionSpace;
  /** As ENAS sets it (Pham et al. 2018, and its code), and what is ours. */
  readonly recipe: Recipe['controller'];
}

/** Children drawn from, or scored by, a policy. */
export interface Unrolled {
  readonly children: readonly Choices[];
  /** Natural logarithm of the probability of each decision of each child, given those before it [decisions, children]. */
  readonly logProbabilities: Tensor;
  /** Of each decision, the probabilities of its options as a mean over the children. */
  readonly probabilities: readonly (readonly number[])[];
  /** Entropy in nats, summed over the decisions on each child's way [children]. */
  readonly entropy: Tensor;
}

/** A fresh policy for the decisions of `space`, nearly uniform. `seed` decides its weights. */
export function createPolicy(space: DecisionSpace, seed: number, recipe: Recipe['controller']): Policy {
  const { hidden_size: hidden, initial_range: range, bias_scale } = recipe;
  const shapes = new Map<string, readonly number[]>([
    ['start', [1, hidden]],
    ['lstm.input', [4 * hidden, hidden]],
    ['lstm.hidden', [4 * hidden, hidden]],
    ['lstm.input_bias', [4 * hidden]],
    ['lstm.hidden_bias', [4 * hidden]],
    ['attention.anchor', [hidden, hidden]],
    ['attention.query', [hidden, hidden]],
    ['attention.score', [1, hidden]],
  ]);
  for (const [at, { choice, options, sources }] of space.decisions.entries()) {
    if (bias_scale > 0) shapes.set(`bias.${at}`, [options]);
    shapes.set(`${choice}.embedding`, [options, hidden]);
    if (sources === undefined) shapes.set(`${choice}.logits`, [options, hidden]);
  }
  manualSeed(seed);
  const weights = new Map(
    Array.from(shapes, ([name, shape]) => {
      const values = zeros(shape, { dataType: 'float32' });
      if (!name.startsWith('bias.')) noGradient(() => uniformInPlace(values, { from: -range, to: range }));
      values.requiresGradient = true;
      return [name, values];
    }),
  );
  return { weights, space, recipe };
}

/**
 * Lets a fresh policy begin near one child: the logit of each of its choices leads those of the other options by `lead`, from 0
 * (nearly uniform) to below 5, the most that the policy can express.
 */
export function preferChild(policy: Policy, preferred: Choices, lead: number): void {
  if (lead === 0) return;
  const { temperature, tanh_constant, bias_scale } = policy.recipe;
  const bias = (temperature * Math.atanh(lead / 2 / tanh_constant)) / bias_scale;
  policy.space.decisions.forEach(({ options }, at) => {
    const values = Float32Array.from({ length: options }, (_, option) => (option === preferred[at] ? bias : -bias));
    noGradient(() => scope(() => copyInPlace(weightOf(policy, `bias.${at}`), tensor(values, [options]))));
  });
}

/** How children are drawn from a policy. */
export interface Draw {
  readonly count: number;
  /** From 1, the policy as it is, up, likelier options become likelier still. */
  readonly sharpness: number;
}

/** Draws children. */
export function sampleChildren(policy: Policy, random: Random, draw: Draw): readonly Choices[] {
  return drawn(policy, draw, (_child, probabilities) => sampleIndex(probabilities, random));
}

/** The child that the policy finds likeliest, decision by decision. */
export function likeliestChild(policy: Policy): Choices {
  const once = { count: 1, sharpness: 1 };
  return drawn(policy, once, (_child, probabilities) => probabilities.indexOf(Math.max(...probabilities)))[0];
}

/** Log-probability and entropy of children that were drawn before at this sharpness, with gradients. */
export function scoreChildren(policy: Policy, children: readonly Choices[], sharpness: number): Unrolled {
  const draw = { count: children.length, sharpness };
  return unroll(policy, draw, (child, _probabilities, at) => children[child][at]);
}

function drawn(policy: Policy, draw: Draw, pick: Pick): readonly Choices[] {
  return noGradient(() => scope(() => unroll(policy, draw, pick).children));
}

/** Answers decision `at` of a child by the probabilities of its options. */
type Pick = (child: number, probabilities: readonly number[], at: number) => number;

/** One pass of the LSTM over all decisions, for all children at once. */
function unroll(policy: Policy, { count, sharpness }: Draw, pick: Pick): Unrolled {
  const { space } = policy;
  const hidden = policy.recipe.hidden_size;
  const weight = (name: string): Tensor => weightOf(policy, name);
  const children: number[][] = Array.from({ length: count }, () => []);
  /** The LSTM's state at each decision: at a part's last one it stands for the part in the attention. */
  const states: Tensor[] = [];
  const logProbabilities: Tensor[] = [];
  const entropies: Tensor[] = [];
  const likely: (readonly number[])[] = [];
  let input = expand(weight('start'), [count, hidden]);
  let state: readonly Tensor[] = [
    zeros([count, hidden], { dataType: 'float32' }),
    zeros([count, hidden], { dataType: 'float32' }),
  ];

  space.decisions.forEach((decision, at) => {
    state = lstmCell(input, state, weight('lstm.input'), weight('lstm.hidden'), {
      bIh: weight('lstm.input_bias'),
      bHh: weight('lstm.hidden_bias'),
    });
    states.push(state[0]);
    const anchors = decision.sources?.map((source) => (source === null ? null : states[source]));
    const logits = logitsOf(policy, decision, at, { state: state[0], anchors });
    const admitted = children.map((choices) => space.admitted(choices));
    const logarithms = logSoftmax(mask(multiplyScalar(logits, sharpness), admitted), 1);
    const probabilities = exponential(logarithms);

    const rows = toRows(probabilities, decision.options);
    likely.push(rows[0].map((_, option) => mean(rows.map((row) => row[option]))));
    const values = rows.map((row, child) => pick(child, row, at));
    values.forEach((value, child) => {
      children[child].push(value);
    });
    const picked = tensor(BigInt64Array.from(values, BigInt), [count]);

    logProbabilities.push(sum(gather(logarithms, 1, reshape(picked, [count, 1])), [1]));
    entropies.push(negate(sum(multiply(probabilities, logarithms), [1])));
    const fedBack = embedding(weight(`${decision.choice}.embedding`), picked);
    input = anchors ? takeIn(fedBack, anchors, values) : fedBack;
  });
  return {
    children,
    logProbabilities: stack(logProbabilities),
    probabilities: likely,
    entropy: sum(stack(entropies), [0]),
  };
}

/** What the LSTM and the decision's bias make of its options [children, options], within the tanh constant around 0. */
function logitsOf(
  policy: Policy,
  { choice }: Decision,
  at: number,
  { state, anchors }: { readonly state: Tensor; readonly anchors: readonly (Tensor | null)[] | undefined },
): Tensor {
  const reasoned = anchors ? attend(policy, state, anchors) : linear(state, weightOf(policy, `${choice}.logits`));
  const { bias_scale, temperature, tanh_constant } = policy.recipe;
  const scores =
    bias_scale === 0 ? reasoned : add(reasoned, multiplyScalar(weightOf(policy, `bias.${at}`), bias_scale));
  return multiplyScalar(tanh(multiplyScalar(scores, 1 / temperature)), tanh_constant);
}

/** Scores of taking each part in: v tanh(W anchor + U state), as ENAS's attention (its section 2.3); 0 where there is nothing to take in. */
function attend(policy: Policy, state: Tensor, anchors: readonly (Tensor | null)[]): Tensor {
  const scores = anchors.map((anchor) => {
    if (anchor === null) return zeros([state.shape[0], 1], { dataType: 'float32' });
    const key = linear(anchor, weightOf(policy, 'attention.anchor'));
    const query = linear(state, weightOf(policy, 'attention.query'));
    return linear(tanh(add(key, query)), weightOf(policy, 'attention.score'));
  });
  return concatenate(scores, 1);
}

/** What is fed back of a choice among parts: its embedding, and the part that was chosen (ENAS averages them). */
function takeIn(fedBack: Tensor, anchors: readonly (Tensor | null)[], values: readonly number[]): Tensor {
  return anchors.reduce<Tensor>((sum, anchor, option) => {
    if (anchor === null) return sum;
    const chosen = tensor(
      Float32Array.from(values, (value) => (value === option ? 1 : 0)),
      [values.length, 1],
    );
    return add(sum, multiply(anchor, chosen));
  }, fedBack);
}

/** Far below every score, yet finite: 0 times its logarithm stays 0. */
const excluded = -1e4;

function mask(scores: Tensor, admitted: readonly (readonly boolean[])[]): Tensor {
  if (admitted.every((row) => row.every(Boolean))) return scores;
  const penalties = Float32Array.from(admitted.flat(), (allowed) => (allowed ? 0 : excluded));
  return add(scores, tensor(penalties, scores.shape));
}

function toRows(matrix: Tensor, columns: number): number[][] {
  const numbers = matrix.toNumbers();
  return Array.from({ length: numbers.length / columns }, (_, row) =>
    numbers.slice(row * columns, (row + 1) * columns),
  );
}

function weightOf(policy: Policy, name: string): Tensor {
  const found = policy.weights.get(name);
  if (!found) throw new Error(`The controller has no weight '${name}'.`);
  return found;
}
