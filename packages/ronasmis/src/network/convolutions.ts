import {
  type Activation,
  convolution3d,
  deinterleave,
  interleave,
  interleavingFor,
  normaliseAndActivate,
  scope,
  type Tensor,
} from '@ronasmis/libtorch';
import { type Weights, weight } from './weights.ts';

/**
 * Convolutions (3x3x3, or 1x3x3 by their kernels) one after the other, each with instance normalisation and the activation: `[batch, in, depth, height, width]`
 * gives `[batch, out, depth, height, width]`. Their weights are `prefix.conv`, `prefix.scale` and `prefix.shift`, followed by what
 * `names` has for each.
 */
export function convolutions(
  weights: Weights,
  prefix: string,
  names: readonly string[],
  input: Tensor,
  { dilation, activation }: { readonly dilation: number; readonly activation: Activation },
): Tensor {
  const [, , planes] = weight(weights, `${prefix}.conv${names[0]}`).shape;
  const interleaving = interleavingFor(input, dilation, planes);
  let features = interleave(input, interleaving);
  for (const name of names) {
    const kernel = weight(weights, `${prefix}.conv${name}`);
    const [scale, shift] = [weight(weights, `${prefix}.scale${name}`), weight(weights, `${prefix}.shift${name}`)];
    const before = features;
    features = scope(() => {
      const convolved = convolution3d(before, kernel, dilation / interleaving.dilation);
      return normaliseAndActivate(convolved, scale, shift, activation, interleaving);
    });
  }
  return deinterleave(features, interleaving);
}
