export { convolution3d } from './convolution.ts';
export * from './engine.ts';
export * from './modes.ts';
export type { TensorArray } from './native.ts';
export { call, type Returned, schema, type Value } from './operation.ts';
export * from './operations.ts';
export * from './optimisers.ts';
export * from './safetensors.ts';
export { type DataType, type Device, keep, type MemoryFormat, memory, scope, Tensor, tensor } from './tensor.ts';
