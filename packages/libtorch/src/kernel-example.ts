import {
  add,
  fusedArgmaxLabels,
  fusedConfusionMatrix,
  fusedDiceCrossEntropy,
  fusedInstanceNorm,
  fusedUpsample,
  meanAll,
  square,
  to,
} from './operations.ts';
import { type Device, scope, type Tensor, tensor } from './tensor.ts';

const channels = 3;
const size = [4, 5, 6];
const stride = [2, 2, 2];
const upsampled = size.map((extent) => 2 * extent);
const voxels = upsampled.reduce((product, extent) => product * extent, 1);

/**
 * What this package's fused operations make of a small example on a device, one after the other and back: the loss, the mean square of
 * each gradient, and how often which class was predicted where.
 */
export function fusedExample(device: Device): readonly number[] {
  return scope(() => {
    const leaf = (shape: readonly number[], phase: number): Tensor => {
      const count = shape.reduce((product, extent) => product * extent, 1);
      const values = to(wave(count, phase, shape), { dataType: 'float32', device });
      values.requiresGradient = true;
      return values;
    };
    const [volume, scale, shift] = [leaf([2, channels, ...size], 0), leaf([channels], 1), leaf([channels], 2)];
    const addend = leaf([2, channels, ...upsampled], 3);
    const classes = Uint8Array.from({ length: 2 * voxels }, (_, voxel) => Math.floor(voxel / 7) % channels);
    const label = to(tensor(classes, [2, ...upsampled]), { dataType: 'uint8', device });

    const normalised = fusedInstanceNorm(volume, scale, shift, 2, 1, size);
    const logits = add(fusedUpsample(normalised, stride, upsampled, [addend]), addend);
    const loss = fusedDiceCrossEntropy([logits], label, [1, 1, 1], [1]);
    loss.backward();
    const gradients = [volume, scale, shift, addend].map(({ gradient }) =>
      gradient ? meanAll(square(gradient)).item() : Number.NaN,
    );
    return [loss.item(), ...gradients, ...fusedConfusionMatrix(fusedArgmaxLabels(logits), label, channels).toNumbers()];
  });
}

function wave(count: number, phase: number, shape: readonly number[]): Tensor {
  return tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + phase)),
    shape,
  );
}

/** Whether the numbers of two examples are the same except for rounding. */
export function agree(one: readonly number[], other: readonly number[]): boolean {
  const close = (value: number, i: number): boolean => Math.abs(value - other[i]) <= 2e-3 * Math.abs(other[i]) + 1e-12;
  return one.length === other.length && one.every(close);
}
