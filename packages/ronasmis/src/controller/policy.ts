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
import type { Random } from '../random.ts';
import type { SearchSpace } from '../space/macro.ts';
import type { Decision } from '../space/table1.ts';
import type { Choices } from './controller.ts';

/** Hidden size, temperature, tanh constant and range of the first weights as ENAS sets them (Pham et al. 2018, and its code). */
const hidden = 64;
const preferenceTemperature = 5;
const tanhConstant = 2.5;
const initialRange = 0.1;
/**
 * Every decision also has a bias of its own, which moves so many times as fast as the LSTM's weights: within the few dozen
 * updates of a short search, the LSTM alone would hardly leave the uniform policy.
 */
const biasScale = 250;

/**
 * The controller: an LSTM that makes one decision after the other, each fed back to it as an embedding (paper, Fig. 1).
 * A skip is decided by attention to the encoder level that it comes from, as ENAS decides on the earlier layers of a layer.
 */
export type Policy = ReadonlyMap<string, Tensor>;

/** Children drawn from, or scored by, a policy. */
export interface Unrolled {
  readonly children: readonly Choices[];
  /** Natural logarithm of the probability of each decision of each child, given those before it [decisions, children]. */
  readonly logProbabilities: Tensor;
  /** Entropy in nats, summed over the decisions on each child's way [children]. */
  readonly entropy: Tensor;
}

/** A fresh policy for the decisions of `space`, nearly uniform. `seed` decides its weights. */
export function createPolicy(space: SearchSpace, seed: number): Policy {
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
  for (const [at, { choice, options, from }] of space.decisions.entries()) {
    shapes.set(`bias.${at}`, [options]);
    shapes.set(`${choice}.embedding`, [options, hidden]);
    if (from === undefined) shapes.set(`${choice}.logits`, [options, hidden]);
  }
  manualSeed(seed);
  return new Map(
    Array.from(shapes, ([name, shape]) => {
      const values = zeros(shape, 'float32');
      if (!name.startsWith('bias.')) noGradient(() => uniformInPlace(values, -initialRange, initialRange));
      values.requiresGradient = true;
      return [name, values];
    }),
  );
}

/**
 * Lets a fresh policy begin near one child: the logit of each of its choices leads those of the other options by `lead`, from 0
 * (nearly uniform, as the paper begins) to below 5, the most that the policy can express.
 */
export function preferChild(policy: Policy, space: SearchSpace, preferred: Choices, lead: number): void {
  const bias = (preferenceTemperature * Math.atanh(lead / 2 / tanhConstant)) / biasScale;
  space.decisions.forEach(({ options }, at) => {
    const values = Float32Array.from({ length: options }, (_, option) => (option === preferred[at] ? bias : -bias));
    noGradient(() => scope(() => copyInPlace(weightOf(policy, `bias.${at}`), tensor(values, [options]))));
  });
}

/** Draws `count` children. */
export function sampleChildren(policy: Policy, space: SearchSpace, count: number, random: Random, temperature: number): readonly Choices[] {
  return drawn(policy, space, count, temperature, (_child, probabilities) => sampleIndex(probabilities, random));
}

/** The child that the policy finds likeliest, decision by decision. */
export function likeliestChild(policy: Policy, space: SearchSpace): Choices {
  return drawn(policy, space, 1, preferenceTemperature, (_child, probabilities) => probabilities.indexOf(Math.max(...probabilities)))[0];
}

/** Log-probability and entropy of children that were drawn before, with gradients. */
export function scoreChildren(policy: Policy, space: SearchSpace, children: readonly Choices[], temperature: number): Unrolled {
  return unroll(policy, space, children.length, temperature, (child, _probabilities, at) => children[child][at]);
}

function drawn(policy: Policy, space: SearchSpace, count: number, temperature: number, pick: Pick): readonly Choices[] {
  return noGradient(() => scope(() => unroll(policy, space, count, temperature, pick).children));
}

function sampleIndex(probabilities: readonly number[], random: Random): number {
  let left = random.uniform();
  const found = probabilities.findIndex((probability) => {
    left -= probability;
    return left < 0;
  });
  // Probabilities in float32 may sum to a little less than 1.
  return found >= 0 ? found : probabilities.findLastIndex((probability) => probability > 0);
}

/** Answers decision `at` of a child by the probabilities of its options. */
type Pick = (child: number, probabilities: readonly number[], at: number) => number;

/** One pass of the LSTM over all decisions, for `count` children at once. */
function unroll(policy: Policy, space: SearchSpace, count: number, temperature: number, pick: Pick): Unrolled {
  const weight = (name: string): Tensor => weightOf(policy, name);
  const children: number[][] = Array.from({ length: count }, () => []);
  const anchors = new Map<number, Tensor>();
  const logProbabilities: Tensor[] = [];
  const entropies: Tensor[] = [];
  let input = expand(weight('start'), [count, hidden]);
  let state: readonly Tensor[] = [zeros([count, hidden], 'float32'), zeros([count, hidden], 'float32')];

  space.decisions.forEach((decision, at) => {
    state = lstmCell(
      input,
      state,
      weight('lstm.input'),
      weight('lstm.hidden'),
      weight('lstm.input_bias'),
      weight('lstm.hidden_bias'),
    );
    const anchor = decision.from === undefined ? undefined : anchors.get(decision.from);
    const reasoned = anchor ? attend(policy, state[0], anchor) : linear(state[0], weight(`${decision.choice}.logits`));
    const scores = add(reasoned, multiplyScalar(weight(`bias.${at}`), biasScale));
    const admitted = children.map((choices) => space.admitted(choices));
    const logarithms = logSoftmax(
      mask(multiplyScalar(tanh(multiplyScalar(scores, 1 / temperature)), tanhConstant), admitted),
      1,
    );
    const probabilities = exponential(logarithms);

    const rows = toRows(probabilities, decision.options);
    const values = rows.map((row, child) => pick(child, row, at));
    values.forEach((value, child) => {
      children[child].push(value);
    });
    const picked = tensor(BigInt64Array.from(values, BigInt), [count]);

    logProbabilities.push(sum(gather(logarithms, 1, reshape(picked, [count, 1])), [1]));
    entropies.push(negate(sum(multiply(probabilities, logarithms), [1])));
    const fedBack = embedding(weight(`${decision.choice}.embedding`), picked);
    // A skip that was chosen also feeds back the level that it comes from (ENAS averages them).
    const chosen = anchor && tensor(Float32Array.from(values), [count, 1]);
    input = chosen ? add(fedBack, multiply(anchor, chosen)) : fedBack;
    const level = endedEncoderLevel(space.decisions, at);
    if (level !== undefined) anchors.set(level, state[0]);
  });
  return { children, logProbabilities: stack(logProbabilities), entropy: sum(stack(entropies), [0]) };
}

/** The encoder level whose last decision this is: the LSTM's state then stands for the level in the attention. */
function endedEncoderLevel(decisions: readonly Decision[], at: number): number | undefined {
  const { section } = decisions[at];
  return section.part === 'encoder' && decisions[at + 1]?.section !== section ? section.level : undefined;
}

/** Scores of leaving a skip out (0) and of adding it: v tanh(W anchor + U state), as ENAS's attention (its section 2.3). */
function attend(policy: Policy, state: Tensor, anchor: Tensor): Tensor {
  const key = linear(anchor, weightOf(policy, 'attention.anchor'));
  const query = linear(state, weightOf(policy, 'attention.query'));
  const score = linear(tanh(add(key, query)), weightOf(policy, 'attention.score'));
  return concatenate([multiplyScalar(score, 0), score], 1);
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
  const found = policy.get(name);
  if (!found) throw new Error(`The controller has no weight '${name}'.`);
  return found;
}
