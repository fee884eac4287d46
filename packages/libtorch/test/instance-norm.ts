import { instanceNorm, type Tensor } from '../src/index.ts';

/** Instance normalisation by libtorch's own operation, `[batch, channel, depth, height, width]` with a scale and a shift `[channel]`: what the fused one is compared with. */
export function composedNorm(input: Tensor, scale: Tensor, shift: Tensor): Tensor {
  return instanceNorm(input, {
    weight: scale,
    bias: shift,
    useInputStats: true,
    momentum: 0.1,
    epsilon: 1e-5,
    cudnnEnabled: false,
  });
}
