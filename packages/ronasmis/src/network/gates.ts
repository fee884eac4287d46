import {
  add,
  addScalar,
  detach,
  multiplyScalar,
  narrow,
  scope,
  softmax,
  subtract,
  type Tensor,
  tensor,
  to,
} from '@ronasmis/libtorch';
import type { Random } from '../base/random.ts';
import type { Gate } from './operations.ts';

/** Of which operation is drawn, and how. */
export type DrawnGate = Pick<Gate, 'chosen' | 'noise'>;

/**
 * Draws an operation by its probability, the softmax of the scores, as the largest sum of a score and Gumbel noise (Gumbel 1954; Jang et al.
 * 2017).
 */
export function drawGate(scores: readonly number[], random: Random): DrawnGate {
  const noise = scores.map(() => -Math.log(-Math.log(random.uniform() || Number.MIN_VALUE)));
  const sums = scores.map((score, operation) => score + noise[operation]);
  return { chosen: sums.indexOf(Math.max(...sums)), noise };
}

/**
 * The factor of a gate, a float32 tensor `[1]`: 1, with the gradient of the relaxed choice, which is the softmax of the logits and the noise
 * over the temperature (the straight-through estimator of GDAS; Dong & Yang 2019, equation 5).
 */
export function gateOf(logits: Tensor, gate: Gate): Tensor {
  return scope(() => {
    const chosen = relaxedChoice(logits, gate);
    return addScalar(subtract(chosen, detach(chosen)), 1);
  });
}

/** The share of the chosen operation in the relaxed choice, `[1]`. */
export function relaxedChoice(
  logits: Tensor,
  { chosen, noise, temperature, sharpness }: Pick<Gate, 'chosen' | 'noise' | 'temperature' | 'sharpness'>,
): Tensor {
  return scope(() => {
    const drawn = to(tensor(Float32Array.from(noise), [noise.length]), { dataType: 'float32', device: logits.device });
    const scores = multiplyScalar(add(multiplyScalar(logits, sharpness), drawn), 1 / temperature);
    return narrow(softmax(scores, 0), 0, chosen, 1);
  });
}
