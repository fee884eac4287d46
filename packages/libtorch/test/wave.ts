import { type DataType, keep, scope, type Tensor, tensor, to } from '../src/index.ts';

/** The inputs of all reference values: sin(0.7 i + phase), rounded to the data type, as reference/operations.py makes them. */
export function wave(shape: readonly number[], phase: number, dataType: DataType = 'float32'): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  const values = Float64Array.from({ length }, (_, i) => Math.sin(i * 0.7 + phase));
  return scope(() => to(tensor(values, shape), { dataType }));
}

/** The same as a leaf that gradients are accumulated in, outside every scope. */
export function waveLeaf(shape: readonly number[], phase: number, dataType: DataType = 'float32'): Tensor {
  const leaf = keep(() => wave(shape, phase, dataType));
  leaf.requiresGradient = true;
  return leaf;
}
