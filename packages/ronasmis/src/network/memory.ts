import {
  type Activation,
  convolutionBlockPlan,
  convolutionType,
  type DataType,
  type Device,
  keptByActivate,
  keptByActivation,
  stridedConvolutionType,
} from '@ronasmis/libtorch';
import { isOne, type Triple } from '../base/geometry.ts';
import { sum } from '../base/statistics.ts';
import { type CountedShape, type CountedTensor, elements, type MemoryTape, openTape } from './memory-tape.ts';
import type { Network } from './network.ts';
import type { BlockSettings, Kernel, Layer, Operations, Pooling } from './operations.ts';
import { elementCount, recordParameters } from './parameters.ts';

/** What passes through a network at once, and how it is computed. */
export interface Pass {
  readonly batch: number;
  /** Depth, height and width in voxels. */
  readonly size: Triple;
  readonly dataType: DataType;
  readonly device: Device;
  /** Whether gradients are computed. */
  readonly training: boolean;
}

/** Bytes of max pooling's indices, which libtorch keeps as int64, and of float32. */
const [indexBytes, wideBytes] = [8, 4];

interface Counting extends Pass {
  readonly tape: MemoryTape;
  /** Of an element. */
  readonly bytes: number;
}

/**
 * The most bytes of tensors that a network's pass over a batch has alive at once, the gradients of its weights included, but not the
 * float32 weights, their optimiser's state and the batch's own arrays. The network is walked through on tensors of which only the size is
 * known; a test compares the count by libtorch's allocator.
 */
export function passBytes(network: Network, pass: Pass): number {
  const bytes = pass.dataType === 'float32' ? 4 : 2;
  const tape = openTape(pass.training);
  // The weights in the type of the pass; float32 ones are used as they are, except kernels that are taken through a matrix of taps.
  const weights = recordParameters(network, { deepSupervision: true });
  const made = elementCount(bytes < wideBytes ? weights : weights.filter(({ taps }) => taps !== undefined));
  tape.input([1, 1, 1, 1, made], bytes);
  const image = tape.input([pass.batch, network.inputChannels, ...pass.size], bytes);
  const logits = network.walk(countingOperations({ ...pass, tape, bytes }), image, { deepSupervision: pass.training });
  // The label, or the segmentation.
  tape.input([pass.batch, 1, ...pass.size], 1);
  if (pass.training) tape.backward(logits);
  return tape.peakBytes();
}

/** Interprets a network by the memory that libtorch's operations take, as forward.ts calls them. */
function countingOperations(counting: Counting): Operations<CountedTensor> {
  return {
    downsample: (features, stride, pooling) => downsample(counting, features, stride, pooling),
    convolutionBlock: (features, layers, settings) => convolutions(counting, features, layers, settings),
    convolution: (features, kernel, stride = [1, 1, 1]) => convolution(counting, features, kernel, stride),
    transposedConvolution: (features, kernel, like) => transposedConvolution(counting, features, kernel, spatial(like)),
    upsampleAndAdd: (features, stride, like, addends) =>
      upsampleAndAdd(counting, features, { stride, size: spatial(like) }, addends),
    add: (one, other) => add(counting, one, other),
    scale: (features) => counting.tape.apply({ inputs: [features], shape: features.shape, bytes: counting.bytes }),
    concatenate: (parts) => concatenate(counting, parts),
    pool: (features, pooling = 'max') =>
      pooling === 'max' ? maxPool(counting, features, spatial(features)) : averagePool(counting, features),
    normalise: (features, _norm, activation) => normalise(counting, features, activation),
    activate: (features, activation) => activate(counting, features, keptByActivate(activation)),
    gate: (features) => gate(counting, features),
    scope: counting.tape.scope,
  };
}

function convolutions(
  counting: Counting,
  input: CountedTensor,
  layers: readonly Layer[],
  { dilation, activation }: BlockSettings,
): CountedTensor {
  const { tape, dataType, device, bytes } = counting;
  const [planes] = layers[0].kernel.size;
  const size = spatial(input);
  const { interleaving, convolutionType: type } = convolutionBlockPlan({
    size,
    planes,
    dilation,
    activation,
    dataType,
    device,
  });
  const interleaves = interleaving.dilation > 1;
  let features = interleaves ? tape.apply({ inputs: [input], shape: interleaved(input, dilation), bytes }) : input;
  for (const { kernel } of layers) {
    const before = features;
    features = tape.scope(() => normalise(counting, convolveIn(type, counting, before, kernel), activation));
  }
  if (!interleaves) return features;
  return tape.apply({ inputs: [features], shape: [input.shape[0], features.shape[1], ...size], bytes });
}

function interleaved({ shape: [batch, channels, ...size] }: CountedTensor, dilation: number): CountedShape {
  const [depth, height, width] = size.map((extent) => Math.ceil(extent / dilation));
  return [batch * dilation ** 3, channels, depth, height, width];
}

function convolution(counting: Counting, input: CountedTensor, kernel: Kernel, stride: Triple): CountedTensor {
  const { dataType, device } = counting;
  const keepsSize = isOne(stride);
  if (keepsSize && isOne(kernel.size)) return pointwise(counting, input, kernel.channels);
  const [planes] = kernel.size;
  const how = { size: spatial(input), planes, dataType, device };
  const type = keepsSize ? convolutionType({ ...how, dilation: 1 }) : stridedConvolutionType({ ...how, stride });
  const convolved = convolveIn(type, counting, input, kernel, stride);
  return kernel.bias === undefined ? convolved : add(counting, convolved);
}

/** A convolution that is computed in a type, which may be wider than the volumes' own. */
function convolveIn(
  type: DataType,
  { tape, dataType, bytes }: Counting,
  input: CountedTensor,
  { channels: width, size: kernelSize }: Kernel,
  stride: Triple = [1, 1, 1],
): CountedTensor {
  const [batch, channels] = input.shape;
  const shape: CountedShape = [batch, width, ...divided(input, stride)];
  const taps = elements(kernelSize);
  const weightBytes = taps * channels * width * wideBytes;
  if (type === dataType) return tape.apply({ inputs: [input], shape, bytes, keeps: [input], weightBytes });
  return tape.scope(() => {
    const wide = tape.apply({ inputs: [input], shape: input.shape, bytes: wideBytes });
    // The kernel is made wide as well.
    const keeps = [wide, tape.input([1, width, taps, channels, 1], wideBytes)];
    const convolved = tape.apply({ inputs: [wide], shape, bytes: wideBytes, keeps, weightBytes });
    return tape.apply({ inputs: [convolved], shape, bytes });
  });
}

function transposedConvolution(
  { tape, bytes, device }: Counting,
  input: CountedTensor,
  { channels: width, size: cell }: Kernel,
  size: Triple,
): CountedTensor {
  const [batch, channels] = input.shape;
  const [depth, height, columns] = spatial(input).map((extent, axis) => extent * cell[axis]);
  const shape: CountedShape = [batch, width, depth, height, columns];
  const weightBytes = elements(cell) * channels * width * wideBytes;
  const enlarged = tape.scope(() => {
    const cells = tape.apply({ inputs: [input], shape, bytes, keeps: [input], weightBytes });
    // On a processor the cells are computed apart, and then joined.
    return device === 'cpu' ? tape.apply({ inputs: [cells], shape, bytes }) : cells;
  });
  // A part of what is there, which is not copied.
  return { ...enlarged, shape: [batch, width, ...size] };
}

function normalise(counting: Counting, input: CountedTensor, activation?: Activation): CountedTensor {
  const { tape, bytes } = counting;
  const normalised = tape.apply({ inputs: [input], shape: input.shape, bytes, keeps: [input] });
  const kept = activation === undefined ? 'nothing' : keptByActivation(activation);
  return kept === 'nothing' ? normalised : activate(counting, normalised, kept);
}

function activate({ tape, bytes }: Counting, input: CountedTensor, kept: 'input' | 'output'): CountedTensor {
  const { shape } = input;
  return tape.apply({
    inputs: [input],
    shape,
    bytes,
    ...(kept === 'input' ? { keeps: [input] } : { keepsResult: true }),
  });
}

/** A product with one number: its gradient takes the features, and a product of them with theirs. */
function gate({ tape, bytes }: Counting, input: CountedTensor): CountedTensor {
  return tape.apply({
    inputs: [input],
    shape: input.shape,
    bytes,
    keeps: [input],
    backwardBytes: bytes * elements(input.shape),
  });
}

function pointwise({ tape, bytes }: Counting, input: CountedTensor, width: number): CountedTensor {
  const [batch, channels, ...size] = input.shape;
  const weightBytes = channels * width * wideBytes;
  return tape.apply({ inputs: [input], shape: [batch, width, ...size], bytes, keeps: [input], weightBytes });
}

function downsample(counting: Counting, input: CountedTensor, stride: Triple, pooling: Pooling = 'max'): CountedTensor {
  if (isOne(stride)) return input;
  const size = divided(input, stride);
  if (pooling === 'max') return maxPool(counting, input, size);
  const isWhole = spatial(input).every((extent, axis) => extent % Math.min(extent, stride[axis]) === 0);
  return isWhole ? averageCells(counting, input, stride) : averagePool(counting, input, size);
}

/** Sums along one axis after the other, and their quotient. */
function averageCells({ tape, bytes }: Counting, input: CountedTensor, stride: Triple): CountedTensor {
  const [batch, channels] = input.shape;
  return tape.scope(() => {
    const sum = stride.reduce((features, step, axis) => {
      const [depth, height, width] = spatial(features).map((extent, other) =>
        other === axis ? Math.ceil(extent / step) : extent,
      );
      return step === 1
        ? features
        : tape.apply({ inputs: [features], shape: [batch, channels, depth, height, width], bytes });
    }, input);
    return tape.apply({ inputs: [sum], shape: sum.shape, bytes });
  });
}

/** A processor computes it in float32. */
function averagePool(
  { tape, bytes, dataType, device }: Counting,
  input: CountedTensor,
  size: Triple = spatial(input),
): CountedTensor {
  const [batch, channels] = input.shape;
  const shape: CountedShape = [batch, channels, ...size];
  if (device !== 'cpu' || dataType === 'float32') return tape.apply({ inputs: [input], shape, bytes, keeps: [input] });
  return tape.scope(() => {
    const wide = tape.apply({ inputs: [input], shape: input.shape, bytes: wideBytes });
    const pooled = tape.apply({ inputs: [wide], shape, bytes: wideBytes, keeps: [wide] });
    return tape.apply({ inputs: [pooled], shape, bytes });
  });
}

function concatenate({ tape, bytes }: Counting, parts: readonly CountedTensor[]): CountedTensor {
  const [batch] = parts[0].shape;
  const channels = sum(parts.map(({ shape: [, width] }) => width));
  return tape.apply({ inputs: parts, shape: [batch, channels, ...spatial(parts[0])], bytes, passedFrom: 0 });
}

function maxPool({ tape, bytes, training }: Counting, input: CountedTensor, size: Triple): CountedTensor {
  const [batch, channels] = input.shape;
  const shape: CountedShape = [batch, channels, ...size];
  const indices = indexBytes * elements(shape);
  return tape.apply({
    inputs: [input],
    shape,
    bytes,
    keeps: [input],
    keptBytes: indices,
    forwardBytes: training ? 0 : indices,
  });
}

function upsampleAndAdd(
  { tape, bytes, device }: Counting,
  input: CountedTensor,
  { stride, size }: { readonly stride: Triple; readonly size: Triple },
  addends: readonly CountedTensor[],
): CountedTensor {
  const plain = isOne(stride);
  if (plain && addends.length === 0) return input;
  const [batch, channels, , height, width] = input.shape;
  return tape.apply({
    inputs: [input, ...addends],
    shape: [batch, channels, ...size],
    bytes,
    passedFrom: plain ? 0 : 1,
    // What is summed up along height and width, in float32.
    backwardBytes: plain || device !== 'cpu' ? 0 : size[0] * height * width * channels * wideBytes,
  });
}

function add({ tape, bytes }: Counting, ...inputs: readonly [CountedTensor, ...CountedTensor[]]): CountedTensor {
  return tape.apply({ inputs, shape: inputs[0].shape, bytes, passedFrom: 0 });
}

/** Its size by a stride, rounded up. */
function divided(input: CountedTensor, stride: Triple): Triple {
  const [depth, height, width] = spatial(input).map((extent, axis) => Math.ceil(extent / stride[axis]));
  return [depth, height, width];
}

function spatial({ shape: [, , depth, height, width] }: CountedTensor): Triple {
  return [depth, height, width];
}
