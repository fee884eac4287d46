import { isOne, productOf, type Triple, voxelsOf } from '../base/geometry.ts';
import type { Network } from './network.ts';
import type { Operations } from './operations.ts';

/** Features of which the size alone is known, and by which steps they are needed. */
interface Live {
  readonly channels: number;
  readonly size: Triple;
  /** The step that makes them, and the last that needs them. */
  readonly made: number;
  needed: number;
}

/**
 * The most bytes of float32 features that a pass over one volume has alive at once where each goes as soon as no later operation needs it, and
 * every operation writes a volume of its own: what ONNX Runtime does. Its own work space and the weights come on top.
 * @param size `[depth, height, width]` of the volume
 */
export function liveBytes(network: Pick<Network, 'walk' | 'inputChannels'>, size: Triple): number {
  const steps: Live[] = [];
  const make = (inputs: readonly Live[], channels: number, extents: Triple): Live => {
    for (const input of inputs) input.needed = steps.length;
    const made = { channels, size: extents, made: steps.length, needed: steps.length };
    steps.push(made);
    return made;
  };
  const image = make([], network.inputChannels, size);
  const outputs = network.walk(liveOperations(make), image, { deepSupervision: false });
  for (const output of outputs) output.needed = steps.length;
  const change = new Float64Array(steps.length + 2);
  for (const { channels, size: extents, made, needed } of steps) {
    const bytes = 4 * channels * voxelsOf(extents);
    change[made] += bytes;
    change[needed + 1] -= bytes;
  }
  let [alive, most] = [0, 0];
  for (const bytes of change) {
    alive += bytes;
    most = Math.max(most, alive);
  }
  return most;
}

type Make = (inputs: readonly Live[], channels: number, size: Triple) => Live;

/** Interprets a network by what its operations, as export/network.ts writes them, need and make. */
function liveOperations(make: Make): Operations<Live> {
  const like = (input: Live, channels = input.channels): Live => make([input], channels, input.size);
  const add = (one: Live, other: Live): Live => make([one, other], one.channels, one.size);
  // Its normalisation, and the activation, which is an operation of its own.
  const normalise = (input: Live, activation?: unknown): Live =>
    activation === undefined ? like(input) : like(like(input));
  const pooled = (input: Live, stride: Triple, channels = input.channels): Live => {
    const along = (axis: 0 | 1 | 2): number => Math.ceil(input.size[axis] / stride[axis]);
    return make([input], channels, [along(0), along(1), along(2)]);
  };
  return {
    downsample: (input, stride) => (isOne(stride) ? input : pooled(input, stride)),
    convolutionBlock: (input, layers, { activation }) =>
      layers.reduce((features, { kernel }) => normalise(like(features, kernel.channels), activation), input),
    convolution: (input, { channels }, stride = [1, 1, 1]) => pooled(input, stride, channels),
    transposedConvolution: (input, { channels, size: cell }, { size }) => {
      const enlarged = productOf([input.size, cell]);
      // As a product, woven, and cut.
      return make([like(make([input], channels, enlarged))], channels, size);
    },
    upsampleAndAdd: (input, stride, { size }, addends) => {
      const enlarged = productOf([input.size, stride]);
      const cut = isOne(stride) ? input : make([make([input], input.channels, enlarged)], input.channels, size);
      return addends.reduce(add, cut);
    },
    add,
    scale: (input) => like(input),
    concatenate: (parts) =>
      make(
        parts,
        parts.reduce((sum, { channels }) => sum + channels, 0),
        parts[0].size,
      ),
    pool: (input) => like(input),
    normalise: (input, _norm, activation) => normalise(input, activation),
    activate: (input) => like(input),
    gate: (input) => input,
    scope: (body) => body(),
  };
}
