import {
  type DataType,
  type Device,
  full,
  keep,
  layOutKernel,
  manualSeed,
  noGradient,
  normalInPlace,
  scope,
  type Tensor,
  tensor,
  to,
  zeros,
} from '@ronasmis/libtorch';
import { gateOf } from './gates.ts';
import type { Network } from './network.ts';
import type { Parameter } from './parameters.ts';
import { mixTaps } from './taps.ts';

/**
 * Tensors by name: a network's own, or those that all children of a space share.
 * - Macro: a level's kernel serves every dilation, activation and stride (paper), each dilation but 1 through a matrix that mixes its taps.
 * - Micro: a kernel belongs to a level, a node, one of its two inputs and a kernel size (ENAS: to an operation).
 */
export type Weights = ReadonlyMap<string, Tensor>;

/**
 * Weights, float32, ready to be trained: kernels by He et al. 2015 (normal, variance 2 / fan-in), scales 1 but those that start at 0, shifts 0,
 * matrices of taps the identity. `seed` decides them, whatever the device.
 *
 * As nnU-Net's (`InitWeights_He`, Isensee et al. 2021), whose variance is smaller by a ten-thousandth, for the slope of its leaky ReLU. And as there a
 * transposed kernel's fan-in is taken to be its second extent, the channels that it makes, times its voxels: what PyTorch holds it for.
 */
export function createWeights(parameters: readonly Parameter[], device: Device, seed: number): Weights {
  manualSeed(seed);
  return noGradient(
    () =>
      new Map(
        parameters.map((parameter) => {
          const tensor = initial(parameter, device);
          tensor.requiresGradient = !parameter.isFixed;
          return [parameter.name, tensor];
        }),
      ),
  );
}

function initial({ kind, shape, startsAtZero = false }: Parameter, device: Device): Tensor {
  switch (kind) {
    case 'shift':
    case 'gate':
    case 'logits':
      return zeros(shape, { dataType: 'float32', device });
    case 'scale':
      return full(shape, startsAtZero ? 0 : 1, { dataType: 'float32', device });
    case 'taps':
      return scope(() => to(identity(shape[0]), { dataType: 'float32', device }));
    case 'kernel': {
      const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
      return scope(() => {
        const values = zeros(shape, { dataType: 'float32' });
        normalInPlace(values, { standardDeviation: Math.sqrt(2 / fanIn) });
        return layOutKernel(to(values, { dataType: 'float32', device }));
      });
    }
  }
}

function identity(size: number): Tensor {
  return tensor(
    Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)),
    [size, size],
  );
}

/** A copy of a stored weight, as networks compute with it: float32 on their device, kernels in the layout that convolutions are fast in. */
export function loadedWeight(stored: Tensor, device: Device): Tensor {
  const onDevice = (): Tensor => to(stored, { dataType: 'float32', device, copy: true });
  return keep(() => noGradient(() => scope(() => (stored.shape.length === 5 ? layOutKernel(onDevice()) : onDevice()))));
}

/** The weight of this name; throws where the network has none. */
export function weight(weights: Weights, name: string): Tensor {
  const found = weights.get(name);
  if (!found) throw new Error(`The network has no weight '${name}'.`);
  return found;
}

/**
 * The weights that a network computes with, in the precision of the pass: gradients go through to those they are made of. Kernels
 * with a matrix of taps are what the matrix makes of the shared ones, where `weights` has it. Of float32 the others are handed on as they are.
 * @param weights the network's own, or those that it shares with others
 */
export function networkWeights(
  { parameters, auxiliaryParameters }: Pick<Network, 'parameters' | 'auxiliaryParameters'>,
  weights: Weights,
  dataType: DataType,
  { deepSupervision }: { readonly deepSupervision: boolean } = { deepSupervision: false },
): Weights {
  const used = deepSupervision ? [...parameters, ...auxiliaryParameters] : parameters;
  return scope(
    () =>
      new Map(
        used.map(({ name, taps, gate }) => {
          if (gate) return [name, to(gateOf(weight(weights, gate.logits), gate), { dataType })];
          const matrix = taps === undefined ? undefined : weights.get(taps);
          const shared = weight(weights, name);
          const own = matrix === undefined ? shared : mixTaps(shared, matrix);
          return [name, dataType === 'float32' ? own : to(own, { dataType })];
        }),
      ),
  );
}

/** The weights that a network is trained by, in the order in which gradients come to them on the way back, by and large. */
export function trainedWeights(
  { parameters, auxiliaryParameters }: Pick<Network, 'parameters' | 'auxiliaryParameters'>,
  weights: Weights,
): readonly Tensor[] {
  const used = [...parameters, ...auxiliaryParameters].flatMap(({ name, taps, gate }) => {
    const matrix = taps === undefined ? undefined : weights.get(taps);
    return [weight(weights, gate?.logits ?? name), ...(matrix ? [matrix] : [])];
  });
  return [...new Set(used)].filter(({ requiresGradient }) => requiresGradient).toReversed();
}

/** Frees what {@link networkWeights} made, and no weight that it was made of. */
export function freeNetworkWeights(own: Weights, weights: Weights): void {
  for (const [name, tensor] of own) if (tensor !== weights.get(name)) tensor.free();
}
