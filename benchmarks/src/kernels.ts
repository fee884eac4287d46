import {
  add,
  addInPlace,
  argmax,
  argmaxLabels,
  bincount,
  call,
  confusionMatrix,
  convolution3d,
  convolutionBlock,
  type DataType,
  flatten,
  instanceNorm,
  keep,
  leakyRelu,
  multiplyScalar,
  noGradient,
  normaliseAndActivate,
  oneDnnConvolution,
  oneDnnTakesBfloat16,
  onesLike,
  pointwiseConvolution3d,
  randn,
  scope,
  type Tensor,
  tensor,
  to,
  upsampleAndAdd,
  upsampleTrilinear3d,
} from '@ronasmis/libtorch';
import { composedLoss, fusedLoss } from 'ronasmis/internal';
import { say } from './bench.ts';
import { takeTurns, timed } from './rounds.ts';
import { type Row, timeRow } from './row.ts';
import type { Size } from './training.ts';

const rounds = 7;
const patches = 4;
const full: Size = [40, 56, 40];
const half: Size = [20, 28, 20];
const classes = 3;
const shapes = [
  [16, full],
  [32, half],
] as const;
const precisions = [
  ['fp32', 'float32'],
  ['bf16', 'bfloat16'],
] as const;
const layouts = ['channels_last_3d', 'contiguous'] as const;

type Operation = (inputs: readonly Tensor[]) => Tensor;

/** A kernel of packages/libtorch, and libtorch's own operations that do the same. */
interface Kernel {
  readonly name: string;
  readonly against: string;
  readonly ours: Operation;
  readonly theirs: Operation;
  readonly inputs: (layout: (typeof layouts)[number]) => readonly Tensor[];
}

/**
 * Each kernel against libtorch's own operations, forward and, where there are gradients, backward. Libtorch's are given the layout
 * in which they are faster here; ours always work in channels_last_3d.
 */
export async function kernels(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const oneDnn = process.arch === 'x64';
  if (!oneDnn) say('Left out: the convolutions, for libtorch has oneDNN on x64 processors only.');
  for (const { name, against, ours, theirs, inputs } of [...fusedKernels(), ...(oneDnn ? convolutions() : [])]) {
    const kernel = prepare(ours, inputs('channels_last_3d'));
    const candidates = layouts.map((layout) => prepare(theirs, inputs(layout)));
    const times = await takeTurns(rounds, kernel.repeat, fastest(candidates).repeat);
    rows.push(timeRow(`${name}${kernel.hasGradient ? ', forward and backward' : ''}`, against, times, { atLeast: 1 }));
    for (const { free } of [kernel, ...candidates]) free();
  }
  return rows;
}

interface Prepared {
  readonly hasGradient: boolean;
  readonly repeat: () => number;
  readonly free: () => void;
}

/** An operation on leaves, and its way back from a gradient that is there already. */
function prepare(operation: Operation, inputs: readonly Tensor[]): Prepared {
  for (const input of inputs) input.requiresGradient = input.dataType !== 'uint8';
  const upstream = keep(() => {
    const output = operation(inputs);
    return output.requiresGradient ? noGradient(() => onesLike(output)) : null;
  });
  const once = (): void => {
    const output = operation(inputs);
    if (upstream) call('aten::_backward', '', output, [], upstream, null, false);
  };
  return {
    hasGradient: upstream !== null,
    repeat: () => {
      const seconds = timed(() => scope(once));
      for (const input of inputs) input.clearGradient();
      return seconds;
    },
    free: () => {
      for (const one of upstream ? [upstream, ...inputs] : inputs) one.free();
    },
  };
}

/** By the second repetition of each: the first one makes what is made once for a shape. */
function fastest(candidates: readonly Prepared[]): Prepared {
  const seconds = candidates.map(({ repeat }) => [repeat(), repeat()][1]);
  return candidates[seconds.indexOf(Math.min(...seconds))];
}

function fusedKernels(): readonly Kernel[] {
  const against = "libtorch's operations";
  return [
    ...precisions.flatMap(([precision, dataType]): Kernel[] => [
      {
        name: `instance norm and leaky ReLU, 16 channels, ${title(full)}, ${precision}`,
        against,
        ours: ([volume, scale, shift]) => normaliseAndActivate(volume, scale, shift, 'leaky_relu'),
        theirs: ([volume, scale, shift]) =>
          leakyRelu(
            instanceNorm(volume, {
              weight: scale,
              bias: shift,
              useInputStats: true,
              momentum: 0.1,
              epsilon: 1e-5,
              cudnnEnabled: false,
            }),
          ),
        inputs: (layout) => [random([patches, 16, ...full], dataType, layout), random([16]), random([16])],
      },
      {
        name: `upsampling by 2 and a sum, 16 channels, to ${title(full)}, ${precision}`,
        against,
        ours: ([volume, addend]) => upsampleAndAdd(volume, [2, 2, 2], full, [addend]),
        theirs: ([volume, addend]) => add(upsampleTrilinear3d(volume, full, false), addend),
        inputs: (layout) => [half, full].map((size) => random([patches, 16, ...size], dataType, layout)),
      },
      {
        name: `Dice and cross-entropy, ${classes} classes, ${title(full)}, ${precision}`,
        against,
        ours: ([logits, label]) => fusedLoss([{ logits, stride: [1, 1, 1], weight: 1 }], label),
        theirs: ([logits, label]) => composedLoss([{ logits, stride: [1, 1, 1], weight: 1 }], label),
        inputs: (layout) => [random([patches, classes, ...full], dataType, layout), labels(7)],
      },
      {
        name: `argmax of ${classes} classes, ${title(full)}, ${precision}`,
        against,
        ours: ([logits]) => argmaxLabels(logits),
        theirs: ([logits]) => argmax(logits, 1),
        inputs: (layout) => [random([patches, classes, ...full], dataType, layout)],
      },
    ]),
    {
      name: `confusion matrix of ${classes} classes, ${title(full)}`,
      against,
      ours: ([prediction, label]) => confusionMatrix(prediction, label, classes),
      theirs: ([prediction, label]) => {
        const pairs = multiplyScalar(to(label, { dataType: 'int64' }), classes);
        addInPlace(pairs, prediction);
        return bincount(flatten(pairs), { minlength: classes * classes });
      },
      inputs: () => [labels(5), labels(7)],
    },
  ];
}

function convolutions(): readonly Kernel[] {
  const against = 'oneDNN';
  const wide = shapes.flatMap(([channels, size]) =>
    [1, 2].map(
      (dilation): Kernel => ({
        name: `3x3x3 convolution, ${channels} to ${channels} channels, dilation ${dilation}, ${title(size)}, fp32`,
        against,
        ours: ([volume, kernel]) => convolution3d(volume, kernel, dilation),
        theirs: ([volume, kernel]) => oneDnn(volume, kernel, dilation, dilation),
        inputs: (layout) => [
          random([patches, channels, ...size], 'float32', layout),
          random([channels, channels, 3, 3, 3]),
        ],
      }),
    ),
  );
  const pointwise = precisions
    .filter(([precision]) => precision === 'fp32' || oneDnnTakesBfloat16())
    .map(
      ([precision, dataType]): Kernel => ({
        name: `1x1x1 convolution, 16 to 16 channels, ${title(full)}, ${precision}`,
        against,
        ours: ([volume, kernel]) => pointwiseConvolution3d(volume, kernel),
        theirs: ([volume, kernel]) => oneDnn(volume, kernel, 0, 1),
        inputs: (layout) => [random([patches, 16, ...full], dataType, layout), random([16, 16, 1, 1, 1], dataType)],
      }),
    );
  return [...wide, ...pointwise, ...(oneDnnTakesBfloat16() ? [...interleaved(), ...ofThickSlices()] : [])];
}

/** What oneDNN has no fast and right bfloat16 code for as it stands: kernels of one plane and thin volumes, against float32. */
function ofThickSlices(): readonly Kernel[] {
  const cases = [
    { what: '1x3x3', channels: 16, size: [16, 128, 128] },
    { what: '1x3x3', channels: 32, size: [16, 64, 64] },
    { what: '3x3x3', channels: 64, size: [8, 48, 48] },
  ] as const;
  return cases.map(({ what, channels, size }) => ({
    name: `${what} convolution, ${channels} to ${channels} channels, ${title(size)}, bf16`,
    against: 'the own one, float32',
    ours: ([volume, kernel]) => convolution3d(volume, kernel),
    theirs: ([volume, kernel]) => {
      const [wide, wideKernel] = [volume, kernel].map((tensor) => to(tensor, { dataType: 'float32' }));
      return to(convolution3d(wide, wideKernel), { dataType: 'bfloat16' });
    },
    inputs: (layout) => [
      random([patches, channels, ...size], 'bfloat16', layout),
      random([channels, channels, what === '1x3x3' ? 1 : 3, 3, 3], 'bfloat16'),
    ],
  }));
}

/** The network's block in bfloat16, as it is interleaved for oneDNN. */
function interleaved(): readonly Kernel[] {
  return shapes.flatMap(([channels, size]) =>
    [2, 3].map(
      (dilation): Kernel => ({
        name: `two convolutions with norm, interleaved, ${channels} channels, dilation ${dilation}, ${title(size)}, bf16`,
        against: 'oneDNN, dilated',
        ours: ([volume, kernel, scale, shift]) => {
          const layer = { kernel, scale, shift };
          return convolutionBlock(volume, [layer, layer], { dilation, activation: 'leaky_relu' });
        },
        theirs: ([volume, kernel, scale, shift]) => {
          const convolve = (features: Tensor): Tensor =>
            normaliseAndActivate(oneDnn(features, kernel, dilation, dilation), scale, shift, 'leaky_relu');
          return convolve(convolve(volume));
        },
        inputs: (layout) => [
          random([patches, channels, ...size], 'bfloat16', layout),
          random([channels, channels, 3, 3, 3], 'bfloat16'),
          random([channels]),
          random([channels]),
        ],
      }),
    ),
  );
}

function oneDnn(volume: Tensor, kernel: Tensor, padding: number, dilation: number): Tensor {
  const all = (value: number): readonly number[] => [value, value, value];
  return oneDnnConvolution(volume, kernel, {
    padding: all(padding),
    stride: all(1),
    dilation: all(dilation),
    groups: 1,
  });
}

const title = (size: Size): string => `${patches} x ${size.join('x')}`;

function random(
  shape: readonly number[],
  dataType: DataType = 'float32',
  memoryFormat?: (typeof layouts)[number],
): Tensor {
  return keep(() => to(randn(shape), { dataType, copy: true, memoryFormat }));
}

/** Every class, `step` apart. */
function labels(step: number): Tensor {
  const voxels = patches * full[0] * full[1] * full[2];
  return keep(() =>
    tensor(
      Uint8Array.from({ length: voxels }, (_, voxel) => (voxel * step) % classes),
      [patches, ...full],
    ),
  );
}
