import { convolvesBfloat16, type DataType, type Device, interleavingPays } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { looseEnds, type OperationName } from '../architecture/cell.ts';
import { kernelDepth, type NetworkDimensions } from '../architecture/dimensions.ts';
import { strideBetween, type Volume } from './child.ts';
import { type CountedShape, type CountedTensor, elements, type MemoryTape, openTape } from './memory-tape.ts';
import { mixedCount, supervisedLevels, weightCount } from './weights.ts';

/** What passes through a network at once, and how it is computed. */
export interface Pass {
  readonly batch: number;
  /** Depth, height and width in voxels. */
  readonly size: Volume;
  readonly dataType: DataType;
  readonly device: Device;
  /** Whether gradients are computed. */
  readonly training: boolean;
}

/** Bytes of max pooling's indices, which libtorch keeps as int64, and of float32. */
const [indexBytes, wideBytes] = [8, 4];

interface Counting extends Pass {
  readonly tape: MemoryTape;
  readonly bytes: number;
  /** Planes of a level's kernels. */
  readonly planesAt: (level: number) => number;
}

/**
 * The most bytes of tensors that a child's pass over a batch has alive at once, the gradients of its weights included, but not the
 * float32 weights, their optimiser's state and the batch's own arrays. `forward` of child.ts is walked through in the same order, on tensors of
 * which only the size is known: what it changes there has to change here; a test compares both by libtorch's allocator.
 */
export function passBytes(child: Architecture, dimensions: NetworkDimensions, pass: Pass): number {
  const bytes = pass.dataType === 'float32' ? 4 : 2;
  const tape = openTape(pass.training);
  const counting: Counting = { ...pass, tape, bytes, planesAt: (level) => kernelDepth(dimensions, level, 3) };
  // The weights in the type of the pass; float32 ones are used as they are, but for the kernels of dilated levels.
  const { space } = child;
  const made = bytes < wideBytes ? weightCount(space, dimensions, child) : mixedCount(dimensions, child);
  tape.input([1, 1, 1, 1, made], bytes);
  const image = tape.input([pass.batch, dimensions.inputChannels, ...pass.size], bytes);
  const logits = countForward(counting, child, dimensions, image);
  // The label, or the segmentation.
  tape.input([pass.batch, 1, ...pass.size], 1);
  if (pass.training) tape.backward(logits);
  return tape.peakBytes();
}

function countForward(
  counting: Counting,
  child: Architecture,
  { channels, classes }: NetworkDimensions,
  image: CountedTensor,
): readonly CountedTensor[] {
  const { tape } = counting;
  const encoded: CountedTensor[] = [];
  child.encoder.forEach(({ pool }, level) => {
    const above = level === 0 ? image : encoded[level - 1];
    const stride: Volume = [pool.depth, pool.plane, pool.plane];
    encoded.push(
      tape.scope(() => block(counting, child, 'encoder', level, downsample(counting, above, stride), channels[level])),
    );
  });
  const logits: CountedTensor[] = [];
  let features = encoded[encoded.length - 1];
  for (let level = child.decoder.length - 1; level >= 0; level -= 1) {
    const below = features;
    features = tape.scope(() => {
      const sum = sumOfInputs(counting, child, level, below, encoded, channels[level]);
      return block(counting, child, 'decoder', level, sum, channels[level]);
    });
    const wanted = counting.training ? supervisedLevels.some((supervised) => supervised === level) : level === 0;
    if (wanted) logits.unshift(pointwise(counting, features, classes));
  }
  return logits;
}

function sumOfInputs(
  counting: Counting,
  child: Architecture,
  level: number,
  below: CountedTensor,
  encoded: readonly CountedTensor[],
  width: number,
): CountedTensor {
  const { tape } = counting;
  const size = spatial(encoded[level]);
  const { skips } = child.decoder[level];
  const skip = (from: number): CountedTensor =>
    pointwise(counting, downsample(counting, encoded[from], strideBetween(child, from, level)), width);
  const finer = skips.filter((from) => from <= level);
  const sum = tape.scope(() =>
    upsampleAndAdd(
      counting,
      pointwise(counting, below, width),
      strideBetween(child, level, level + 1),
      size,
      finer.map(skip),
    ),
  );
  return skips
    .filter((from) => from > level)
    .reduce((added, from) => {
      const projected = pointwise(counting, encoded[from], width);
      return upsampleAndAdd(counting, projected, strideBetween(child, level, from), size, [added]);
    }, sum);
}

function block(
  counting: Counting,
  child: Architecture,
  part: 'encoder' | 'decoder',
  level: number,
  input: CountedTensor,
  width: number,
): CountedTensor {
  const planes = counting.planesAt(level);
  if (child.space === 'macro')
    return convolutions(counting, input, { width, planes, dilation: child[part][level].dilation, count: 2 });
  const match = (): CountedTensor =>
    level === 0 ? convolution(counting, input, { width, planes, dilation: 1 }) : pointwise(counting, input, width);
  return cell(counting, part === 'encoder' ? match() : input, planes, child.cell);
}

function cell(
  counting: Counting,
  input: CountedTensor,
  planes: number,
  nodes: Extract<Architecture, { space: 'micro' }>['cell'],
): CountedTensor {
  const { tape } = counting;
  const features = [input];
  for (const terms of nodes) {
    features.push(
      tape.scope(() => {
        const [first, second] = terms.map(({ operation, input }) =>
          operate(counting, features[input], planes, operation),
        );
        return add(counting, first, second);
      }),
    );
  }
  const ends = looseEnds(nodes).map((node) => features[node]);
  return normalise(
    counting,
    ends.reduce((sum, end) => add(counting, sum, end)),
  );
}

function operate(counting: Counting, input: CountedTensor, planes: number, operation: OperationName): CountedTensor {
  const width = input.shape[1];
  switch (operation) {
    case 'convolution':
      return convolutions(counting, input, { width, planes, dilation: 1, count: 1 });
    case 'dilated_convolution':
      return convolutions(counting, input, { width, planes, dilation: 2, count: 1 });
    case 'pointwise_convolution':
      return normalise(counting, pointwise(counting, input, width));
    case 'identity':
      return input;
    case 'max_pooling':
      return maxPool(counting, input, spatial(input));
  }
}

/** What a convolution does: to how many channels, by kernels of how many planes. */
interface Convolving {
  readonly width: number;
  readonly planes: number;
  readonly dilation: number;
}

function convolutions(
  counting: Counting,
  input: CountedTensor,
  { width, planes, dilation, count }: Convolving & { readonly count: number },
): CountedTensor {
  const { tape, dataType, device, bytes } = counting;
  const interleaves = device === 'cpu' && dataType === 'bfloat16' && interleavingPays(spatial(input), dilation, planes);
  const interleaved = (tensor: CountedTensor): CountedShape => {
    const [batch, channels, ...size] = tensor.shape;
    const [depth, height, width] = size.map((extent) => Math.ceil(extent / dilation));
    return [batch * dilation ** 3, channels, depth, height, width];
  };
  let features = interleaves ? tape.apply({ inputs: [input], shape: interleaved(input), bytes }) : input;
  for (let index = 0; index < count; index += 1) {
    const before = features;
    const convolving = { width, planes, dilation: interleaves ? 1 : dilation };
    features = tape.scope(() => normalise(counting, convolution(counting, before, convolving)));
  }
  if (!interleaves) return features;
  const [batch, , ...size] = input.shape;
  return tape.apply({ inputs: [features], shape: [batch, width, ...size], bytes });
}

function convolution(counting: Counting, input: CountedTensor, { width, planes, dilation }: Convolving): CountedTensor {
  const { tape, dataType, device, bytes } = counting;
  const [batch, channels, ...size] = input.shape;
  const shape: CountedShape = [batch, width, ...size];
  const taps = planes * 9;
  const weightBytes = taps * channels * width * wideBytes;
  const isDirect = device !== 'cpu' || dataType === 'float32' || convolvesBfloat16(size, dilation, planes);
  if (isDirect) return tape.apply({ inputs: [input], shape, bytes, keeps: [input], weightBytes });
  return tape.scope(() => {
    const wide = tape.apply({ inputs: [input], shape: input.shape, bytes: wideBytes });
    // The kernel is made wide as well.
    const kernel = tape.input([1, width, taps, channels, 1], wideBytes);
    const keeps = [wide, kernel];
    const convolved = tape.apply({ inputs: [wide], shape, bytes: wideBytes, keeps, weightBytes });
    return tape.apply({ inputs: [convolved], shape, bytes });
  });
}

function normalise({ tape, bytes }: Counting, input: CountedTensor): CountedTensor {
  return tape.apply({ inputs: [input], shape: input.shape, bytes, keeps: [input] });
}

function pointwise({ tape, bytes }: Counting, input: CountedTensor, width: number): CountedTensor {
  const [batch, channels, ...size] = input.shape;
  const weightBytes = channels * width * wideBytes;
  return tape.apply({ inputs: [input], shape: [batch, width, ...size], bytes, keeps: [input], weightBytes });
}

function downsample(counting: Counting, input: CountedTensor, stride: Volume): CountedTensor {
  if (stride.every((step) => step === 1)) return input;
  const [depth, height, width] = spatial(input).map((extent, axis) => Math.ceil(extent / stride[axis]));
  return maxPool(counting, input, [depth, height, width]);
}

function maxPool({ tape, bytes, training }: Counting, input: CountedTensor, size: Volume): CountedTensor {
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
  stride: Volume,
  size: Volume,
  addends: readonly CountedTensor[],
): CountedTensor {
  const plain = stride.every((step) => step === 1);
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

function add({ tape, bytes }: Counting, one: CountedTensor, other: CountedTensor): CountedTensor {
  return tape.apply({ inputs: [one, other], shape: one.shape, bytes, passedFrom: 0 });
}

function spatial({ shape: [, , depth, height, width] }: CountedTensor): Volume {
  return [depth, height, width];
}
