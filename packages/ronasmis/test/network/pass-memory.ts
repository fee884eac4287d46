import { noGradient, peakTensorBytes, resetPeakTensorBytes, scope } from '@ronasmis/libtorch';
import type { Architecture, ChildArchitecture } from '../../src/architecture/architecture.ts';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { type ComputeDevice, dataTypeOf } from '../../src/engine/device.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { segment } from '../../src/inference/segment.ts';
import { passBytes } from '../../src/network/memory.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { createWeights, networkWeights } from '../../src/network/weights.ts';
import { batchShape } from '../../src/search/batch-shape.ts';
import type { SearchContext } from '../../src/search/context.ts';
import type { TrainingState } from '../../src/search/state.ts';
import { trainOnce } from '../training/train-once.ts';

/** What was predicted and what was measured, in bytes. */
export interface PassMemory {
  readonly predicted: number;
  readonly measured: number;
}

/** A search of volumes of two channels. */
export interface Opened {
  readonly context: SearchContext;
  readonly state: TrainingState;
}

/** Of a training step of a child, after a first one, which makes the optimiser's state. */
export function trainedMemory({ context, state }: Opened, child: ChildArchitecture): PassMemory {
  const { device, precision, dimensions } = context;
  const { patch, patches: batch } = batchShape(context, child);
  const voxels = batch * voxelsOf(patch);
  const crops = Array.from({ length: batch }, () => ({ case: 0, offset: [0, 0, 0] as const, flip: [] }));
  const arrays = { image: new Float32Array(2 * voxels).fill(1), label: new Uint8Array(voxels) };
  const step = (): number => trainOnce(context, state, child, { ...arrays, plan: { patch, crops } });
  step();
  const pass = { batch, size: patch, dataType: dataTypeOf[precision], device, training: true };
  return { predicted: passBytes(networkOf(child, dimensions), pass), measured: measure(device, step) };
}

/** Of the pass of a volume of this size through a network; weights that the search has not are its own. */
export function evaluatedMemory({ context, state }: Opened, child: Architecture, size: Triple): PassMemory {
  const { device, precision, dimensions } = context;
  const dataType = dataTypeOf[precision];
  const network = networkOf(child, dimensions);
  const shared = state.trainer.weights;
  const beside = createWeights(
    network.parameters.filter(({ name }) => !shared.has(name)),
    device,
    1,
  );
  const all = new Map([...shared, ...beside]);
  const values = new Float32Array(2 * voxelsOf(size));
  const evaluate = (): void =>
    scope(() => {
      const weights = networkWeights(network, all, dataType);
      segment(network, weights, toImage(values, [1, 2, ...size], device, dataType));
    });
  const pass = { batch: 1, size, dataType, device, training: false };
  return { predicted: passBytes(network, pass), measured: noGradient(() => measure(device, evaluate)) };
}

/** Bytes that `body` adds to those of the tensors that are alive on a device, at most. */
function measure(device: ComputeDevice, body: () => void): number {
  resetPeakTensorBytes(device);
  const before = peakTensorBytes(device);
  body();
  return peakTensorBytes(device) - before;
}
