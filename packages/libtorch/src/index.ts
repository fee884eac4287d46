export { type Activation, activate, activationNames, keptByActivate, keptByActivation } from './activations.ts';
export { averageAround3d, averagePooling3d } from './average-pooling.ts';
export {
  type Convolving,
  convolution3d,
  convolutionType,
  layOutKernel,
  oneDnnTakesBfloat16,
  pointwiseConvolution3d,
  stridedConvolution3d,
  stridedConvolutionType,
} from './convolution.ts';
export {
  type BlockLayer,
  type BlockOptions,
  type BlockPlan,
  convolutionBlock,
  convolutionBlockPlan,
} from './convolution-block.ts';
export * from './engine.ts';
export type { Interleaving } from './interleaving.ts';
export { hasFusedKernels } from './kernels.ts';
export { argmaxLabels, confusionMatrix } from './labels.ts';
export * from './modes.ts';
export { copyInto, joinParts, type NamedTensors, partOf } from './named-tensors.ts';
export type { TensorArray } from './native.ts';
export { normalise, normaliseAndActivate } from './normalisation.ts';
export { call, type Returned, schema, type Value } from './operation.ts';
export * from './operations.ts';
export type { Optimiser } from './optimiser.ts';
export * from './optimisers.ts';
export { type AveragingOptions, joinRanks, type Meeting, RankError, type Ranks } from './ranks.ts';
export * from './safetensors.ts';
export { type DataType, type Device, keep, type MemoryFormat, memory, scope, Tensor, tensor } from './tensor.ts';
export { transposedConvolution3d } from './transposed-convolution.ts';
export { upsampleAndAdd } from './upsampling.ts';
