import { hasFusedKernels } from './kernels.ts';
import {
  addInPlace,
  argmax,
  bincount,
  flatten,
  fusedArgmaxLabels,
  fusedConfusionMatrix,
  multiplyScalar,
  to,
  view,
} from './operations.ts';
import type { Tensor } from './tensor.ts';

/**
 * The class of the largest logit at each voxel, the first of equal ones: logits `[batch, class, depth, height, width]` with at
 * most 256 classes give uint8 `[batch, depth, height, width]`.
 *
 * On a processor and on NVIDIA's GPUs it is one fused operation of this package (native/kernels, native/cuda); elsewhere libtorch's
 * operations.
 */
export function argmaxLabels(logits: Tensor): Tensor {
  if (hasFusedKernels(logits.device)) return fusedArgmaxLabels(logits);
  return to(argmax(logits, 1), { dataType: 'uint8' });
}

/**
 * How often each class was predicted at voxels of each class: int64 `[class, class]`, the label's class first, of a prediction
 * and a label in uint8 of one shape. Throws where one has a value that is no class.
 *
 * On a processor and on NVIDIA's GPUs it is one fused operation of this package (native/kernels, native/cuda); elsewhere libtorch's
 * operations.
 */
export function confusionMatrix(prediction: Tensor, label: Tensor, classes: number): Tensor {
  if (hasFusedKernels(label.device)) return fusedConfusionMatrix(prediction, label, classes);
  const pairs = multiplyScalar(to(label, { dataType: 'int64' }), classes);
  addInPlace(pairs, prediction);
  return view(bincount(flatten(pairs), { minlength: classes * classes }), [classes, classes]);
}
