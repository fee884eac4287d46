// Compares every kernel with libtorch's own operations in float64: `node --import ../../../test/from-source.mjs kernels.mjs`, with ATEN_CPU_CAPABILITY in the environment.
// Prints the vector units that libtorch chose, and of each kernel the largest difference, as a share of the largest value, and a
// hash of its results' bits.
import { createHash } from 'node:crypto';

import {
  add,
  addScalar,
  arange,
  argmax,
  argmaxLabels,
  conv3d,
  convolution3d,
  crossEntropyLoss,
  describeEngine,
  divide,
  equal,
  fusedDiceCrossEntropy,
  leakyRelu,
  meanAll,
  multiply,
  multiplyScalar,
  narrow,
  negate,
  scope,
  setThreads,
  slice,
  softmax,
  sum,
  sumAll,
  tensor,
  to,
  unsqueeze,
  upsampleAndAdd,
  upsampleTrilinear3d,
  view,
} from '../src/index.ts';
import { deinterleave, interleave } from '../src/interleaving.ts';
import { normaliseInterleaved } from '../src/normalisation.ts';
import { composedNorm } from './instance-norm.ts';

setThreads(1);

const product = (shape) => shape.reduce((result, extent) => result * extent, 1);

/** Values in no order, the same in every process. */
function values(shape, phase) {
  return Float32Array.from({ length: product(shape) }, (_, i) => Math.sin(phase + 1.3 * i * (1 + (i % 7))));
}

/** A result, and the gradients of its sum weighted by other values, of all leaves. */
function results(operation, leaves) {
  for (const leaf of leaves) leaf.requiresGradient = true;
  const output = operation(...leaves);
  if (!output.requiresGradient) return [output];
  sumAll(multiply(output, to(tensor(values(output.shape, 9), output.shape), { dataType: output.dataType }))).backward();
  return [output, ...leaves.map(({ gradient }) => gradient)];
}

const numbers = (found) => to(found, { dataType: 'float64' }).toNumbers();

function difference(ours, exact) {
  const scale = exact.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-30);
  return ours.reduce((largest, value, i) => Math.max(largest, Math.abs(value - exact[i])), 0) / scale;
}

function compare(name, dataType, shapes, ours, exact) {
  return scope(() => {
    const made = shapes.map((shape, i) => to(tensor(values(shape, i), shape), { dataType }));
    const layOut = (leaf) =>
      leaf.shape.length === 5
        ? to(leaf, { dataType, copy: true, memoryFormat: 'channels_last_3d' })
        : to(leaf, { dataType: 'float32' });
    const leaves = made.map(layOut);
    // Of the same numbers: those that are left of them in the data type.
    const exactLeaves = made.map((leaf) => to(leaf, { dataType: 'float64' }));
    const found = results(ours, leaves).map(numbers);
    const wanted = results(exact, exactLeaves).map(numbers);
    const hash = createHash('sha256');
    for (const part of found) hash.update(Float64Array.from(part));
    return {
      name,
      dataType,
      difference: Math.max(...found.map((part, i) => difference(part, wanted[i]))),
      bits: hash.digest('hex'),
    };
  });
}

const convolutions = [
  { batch: 1, channels: [16, 16], size: [9, 20, 22], dilation: 1 },
  { batch: 2, channels: [5, 20], size: [6, 9, 13], dilation: 2 },
  { batch: 1, channels: [32, 33], size: [4, 7, 5], dilation: 3 },
  { batch: 1, channels: [1, 16], size: [3, 40, 33], dilation: 1 },
  { batch: 1, channels: [64, 64], size: [1, 4, 5], dilation: 4 },
].map(({ batch, channels: [from, width], size, dilation }) =>
  compare(
    `convolution ${from} to ${width}, ${size.join('x')}, dilation ${dilation}`,
    'float32',
    [
      [batch, from, ...size],
      [width, from, 3, 3, 3],
    ],
    (input, kernel) => convolution3d(input, kernel, dilation),
    (input, kernel) => conv3d(input, kernel, { padding: dilation, dilation }),
  ),
);

/** Soft Dice and cross-entropy, as packages/ronasmis composes them. */
function loss(logits, label) {
  const classes = view(arange(0, logits.shape[1], { dataType: 'int64' }), [1, -1, 1, 1, 1]);
  const oneHot = to(equal(unsqueeze(label, 1), classes), { dataType: 'float64' });
  const foreground = (volume) => sum(narrow(volume, 1, 1, volume.shape[1] - 1), [2, 3, 4]);
  const probabilities = softmax(logits, 1);
  const overlap = foreground(multiply(probabilities, oneHot));
  const both = add(foreground(probabilities), foreground(oneHot));
  const dice = divide(addScalar(multiplyScalar(overlap, 2), 1e-5), addScalar(both, 1e-5));
  return addScalar(add(negate(meanAll(dice)), crossEntropyLoss(logits, to(label, { dataType: 'int64' }))), 1);
}

/** Every `step`-th voxel along each axis. */
const thin = (label, step) => [1, 2, 3].reduce((result, axis) => slice(result, axis, { step }), label);

/** Normalised as sub-volumes, of which some are padded where they are more than one. */
function interleavedNorm(volume, scale, shift, dilation) {
  const interleaving = { dilation, size: volume.shape.slice(2) };
  const subVolumes = interleave(volume, interleaving);
  return deinterleave(normaliseInterleaved(subVolumes, { scale, shift }, 'leaky_relu', interleaving), interleaving);
}

const others = ['float32', 'bfloat16'].flatMap((dataType) => [
  ...[16, 21].flatMap((channels) =>
    [1, 2].map((dilation) =>
      compare(
        `instance norm, ${channels} channels, interleaved by ${dilation}`,
        dataType,
        [[2, channels, 7, 9, 11], [channels], [channels]],
        (volume, scale, shift) => interleavedNorm(volume, scale, shift, dilation),
        (volume, scale, shift) => leakyRelu(composedNorm(volume, scale, shift)),
      ),
    ),
  ),
  ...[16, 21].map((channels) =>
    compare(
      `upsampling, ${channels} channels`,
      dataType,
      [
        [2, channels, 4, 5, 6],
        [2, channels, 8, 10, 17],
      ],
      (volume, addend) => upsampleAndAdd(volume, [2, 2, 3], [8, 10, 17], [addend]),
      (volume, addend) => add(narrow(upsampleTrilinear3d(volume, [8, 10, 18], false), 4, 0, 17), addend),
    ),
  ),
  ...[3, 19].flatMap((classes) => {
    const [fine, coarse] = [
      [2, classes, 6, 7, 9],
      [2, classes, 3, 4, 5],
    ];
    const shape = [2, 6, 7, 9];
    const label = tensor(
      Uint8Array.from({ length: product(shape) }, (_, i) => (i * 5) % classes),
      shape,
    );
    return [
      compare(
        `loss, ${classes} classes`,
        dataType,
        [fine, coarse],
        (...levels) => fusedDiceCrossEntropy(levels, label, [1, 1, 1, 2, 2, 2], [0.75, 0.25]),
        (first, second) =>
          add(multiplyScalar(loss(first, label), 0.75), multiplyScalar(loss(second, thin(label, 2)), 0.25)),
      ),
      compare(
        `argmax, ${classes} classes`,
        dataType,
        [fine],
        (logits) => argmaxLabels(logits),
        (logits) => argmax(logits, 1),
      ),
    ];
  }),
]);

console.log(JSON.stringify({ capability: describeEngine().cpu.capability, kernels: [...convolutions, ...others] }));
