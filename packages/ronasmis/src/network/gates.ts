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

/**
 * Standard Gumbel noise: the operation with the largest sum of its score and such noise is drawn with the probability that the softmax of
 * the scores gives it (Gumbel 1954; Jang et al. 2017).
 */
export const gumbel = (random: Random): number => -Math.log(-Math.log(random.uniform() || Number.MIN_VALUE));

/**
 * The factor of a gate, a float32 tensor `[1]`: 1, with the gradient of the relaxed choice, which is the softmax of the logits and the noise
 * over the temperature (the straight-through estimator of GDAS; Dong & Yang 2019).
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
