export { addInPlace, divide, multiply, multiplyInPlace } from './arithmetic.ts';
export { argmaxLabels, resampleArgmax } from './resample-logits.ts';
export { resampleCubic, resampleLabels } from './resample-volumes.ts';
export { flip, narrow, noGradient, pad, scope, Tensor, tensor, to, zeros } from './tensor.ts';
