import { sum } from '../base/statistics.ts';
import type { NetworkDefinition, WalkOptions } from './definition.ts';
import type { Gate, Kernel, Norm, Operations } from './operations.ts';

/** A weight of a network. */
export interface Parameter {
  readonly name: string;
  readonly kind: 'kernel' | 'scale' | 'shift' | 'taps' | 'gate' | 'logits';
  /**
   * Of a kernel `[out, in, depth, height, width]`, of a transposed one `[in, out, depth, height, width]`, of a norm or a bias `[channel]`, of a matrix of
   * taps `[taps, taps]`, of a gate `[1]`, of logits `[operation]`.
   */
  readonly shape: readonly number[];
  /** Of a scale that is 0 before training. */
  readonly startsAtZero?: boolean;
  /** Whether it stays as it is before training. */
  readonly isFixed?: boolean;
  /** Of a kernel that dilations share: the matrix through which this network takes it, where it does not take it as it is. */
  readonly taps?: string;
  /** Of a gate: the choice that it stands for. */
  readonly gate?: Gate;
}

/** The weights that a walk through a network meets, each once, in the order of {@link inOrder}. Throws where two have one name. */
export function recordParameters(network: NetworkDefinition, options: WalkOptions): readonly Parameter[] {
  return parametersOf(network, network.inputChannels, options);
}

/** Names of the kernels that take in the scan itself: those that have another shape where it has a channel more. */
export function imageKernels(network: NetworkDefinition): readonly string[] {
  const [own, wider] = [0, 1].map((more) =>
    parametersOf(network, network.inputChannels + more, { deepSupervision: true }),
  );
  return own.filter(({ shape }, at) => String(shape) !== String(wider[at].shape)).map(({ name }) => name);
}

/** Whether a weight of this name makes logits: its first axis is the classes. Every network calls these so. */
export const isOfHead = (name: string): boolean => name.startsWith('head.');

function parametersOf(network: NetworkDefinition, inputChannels: number, options: WalkOptions): readonly Parameter[] {
  const found = new Map<string, Parameter>();
  const record = (parameter: Parameter): void => {
    const other = found.get(parameter.name);
    if (other && String(other.shape) !== String(parameter.shape))
      throw new Error(
        `The network has two weights called '${parameter.name}', of [${other.shape}] and [${parameter.shape}].`,
      );
    found.set(parameter.name, parameter);
  };
  network.walk(recorder(record), inputChannels, options);
  return inOrder(found.values());
}

/** The weights that networks share, with the matrices of taps of those that take a kernel through one, unless they are left out, and the logits of gates. */
export function sharedParameters(
  networks: readonly NetworkDefinition[],
  { mixesTaps = true }: { readonly mixesTaps?: boolean } = {},
): readonly Parameter[] {
  const all = networks.flatMap((network) => recordParameters(network, { deepSupervision: true }));
  const taps = all.flatMap(({ taps, shape: [, , depth, height, width] }): Parameter[] => {
    const count = depth * height * width;
    return taps === undefined || !mixesTaps ? [] : [{ name: taps, kind: 'taps', shape: [count, count] }];
  });
  const shared = [...all, ...taps].flatMap((parameter) => (parameter.gate ? logitsOf(parameter.gate) : parameter));
  return inOrder(new Map(shared.map((parameter) => [parameter.name, parameter])).values());
}

/** What gates of an edge are made of. */
const logitsOf = ({ logits, noise }: Gate): Parameter => ({ name: logits, kind: 'logits', shape: [noise.length] });

/** How many numbers these weights are. */
export function elementCount(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1), 0);
}

/** Interprets a network by its weights alone: what flows is a number of channels. */
function recorder(record: (parameter: Parameter) => void): Operations<number> {
  const recordBias = ({ channels, bias }: Kernel): number => {
    if (bias !== undefined) record({ name: bias, kind: 'shift', shape: [channels] });
    return channels;
  };
  const recordKernel = (from: number, kernel: Kernel): number => {
    const { name, channels, size, taps } = kernel;
    record({ name, kind: 'kernel', shape: [channels, from, ...size], ...(taps !== undefined && { taps }) });
    return recordBias(kernel);
  };
  const recordNorm = (channels: number, { scale, shift, startsAtZero = false, isFixed = false }: Norm): number => {
    const fixed = isFixed && { isFixed };
    record({ name: scale, kind: 'scale', shape: [channels], ...(startsAtZero && { startsAtZero }), ...fixed });
    record({ name: shift, kind: 'shift', shape: [channels], ...fixed });
    return channels;
  };
  return {
    downsample: (channels) => channels,
    convolutionBlock: (channels, layers) =>
      layers.reduce((from, { kernel, norm }) => recordNorm(recordKernel(from, kernel), norm), channels),
    convolution: recordKernel,
    transposedConvolution: (from, kernel) => {
      record({ name: kernel.name, kind: 'kernel', shape: [from, kernel.channels, ...kernel.size] });
      return recordBias(kernel);
    },
    upsampleAndAdd: (channels) => channels,
    add: (channels) => channels,
    scale: (channels) => channels,
    concatenate: sum,
    pool: (channels) => channels,
    normalise: recordNorm,
    activate: (channels) => channels,
    gate: (channels, gate) => {
      record({ name: gate.name, kind: 'gate', shape: [1], gate });
      return channels;
    },
    scope: (body) => body(),
  };
}

/**
 * Weights in the order in which a seed draws them and files list them, whichever way a walk takes: the stem, the encoder, the decoder and the heads, each
 * from the full resolution down, in a level its cell's nodes, and larger kernels first; matrices of taps last. What else a network has comes
 * before all these, and what is not told apart so stays in the order of the walk.
 */
function inOrder(parameters: Iterable<Parameter>): readonly Parameter[] {
  return Array.from(parameters, (parameter) => ({ parameter, key: sortKey(parameter) }))
    .sort((one, other) => {
      const at = one.key.findIndex((value, index) => value !== other.key[index]);
      if (at >= 0) return one.key[at] - other.key[at];
      return one.parameter.kind === 'taps' ? (one.parameter.name < other.parameter.name ? -1 : 1) : 0;
    })
    .map(({ parameter }) => parameter);
}

const parts = ['stem', 'encoder', 'decoder', 'head'];
const placePattern = /^(\w+)(?:\.(\d+))?(?:\.node(\d+)\.input(\d+)\.(\d+)x)?/;

/** Where a weight stands, as its name says; the first number that differs decides. */
function sortKey({ name, kind }: Parameter): readonly number[] {
  const [, part = '', level, node, input, edge] = placePattern.exec(name) ?? [];
  const [levelNumber, nodeNumber, inputNumber, kernelEdge] = [level, node, input, edge].map((text) =>
    Number(text ?? 0),
  );
  return [kind === 'taps' ? 1 : 0, parts.indexOf(part), levelNumber, nodeNumber, inputNumber, -kernelEdge];
}
