import { noGradient, oneDnnTakesBfloat16, peakTensorBytes, resetPeakTensorBytes, scope } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { patchOf } from '../../src/architecture/patch.ts';
import { voxelsOf } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { drawChild } from '../../src/controller/draw.ts';
import { dataTypeOf, type Precision } from '../../src/engine/device.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { segment } from '../../src/inference/segment.ts';
import { passBytes } from '../../src/network/memory.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { networkWeights } from '../../src/network/weights.ts';
import { batchShape } from '../../src/search/batch-shape.ts';
import { createSearchState } from '../../src/search/state.ts';
import { createSpace } from '../../src/space/spaces.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { trainOnce } from '../training/train-once.ts';
import { workBytes } from './work-bytes.ts';

const precisions: readonly Precision[] = oneDnnTakesBfloat16() ? ['fp32', 'bf16'] : ['fp32'];
const children = 3;
/** How far off a prediction may be: what is smaller than 64 KiB is predicted, but not counted by the allocator. */
const tolerance = 0.1;

/** Bytes that `body` adds to those of the tensors that are alive, at most. */
function measure(body: () => void): number {
  resetPeakTensorBytes('cpu');
  const before = peakTensorBytes('cpu');
  body();
  return peakTensorBytes('cpu') - before;
}

interface MemoryCase {
  readonly space: 'macro' | 'micro';
  readonly precision: Precision;
  readonly volume: readonly [number, number, number];
  readonly flatLevels: number;
}

function openSpace({ space, precision, volume, flatLevels }: MemoryCase) {
  const dimensions = networkDimensions(2, 3, flatLevels);
  const made = createSpace(space, volume, dimensions);
  const batchVoxels = voxelsOf(patchOf(made.base));
  const context = { ...tinyContext, dimensions, precision, batchVoxels, space: made };
  const random = createRandom(11);
  const drawn = Array.from({ length: children }, () => context.space.decode(drawChild(context.space, 0, random)));
  return {
    context,
    state: createSearchState(context, 'random', 1),
    drawn: [context.space.base, context.space.largest, ...drawn],
  };
}

type Opened = ReturnType<typeof openSpace>;

/** What was predicted and what was measured, in bytes. */
interface Bytes {
  readonly predicted: number;
  readonly measured: number;
}

function trainedBytes({ context, state }: Opened, child: ChildArchitecture): Bytes {
  const { patch, patches: batch } = batchShape(context, child);
  const voxels = batch * voxelsOf(patch);
  const crops = Array.from({ length: batch }, () => ({ case: 0, offset: [0, 0, 0] as const, flip: [] }));
  const arrays = { image: new Float32Array(2 * voxels).fill(1), label: new Uint8Array(voxels) };
  const plan = { patch, crops };
  // The first step makes the optimiser's state.
  const step = (): number => trainOnce(context, state, child, { ...arrays, plan });
  step();
  const pass = {
    batch,
    size: plan.patch,
    dataType: dataTypeOf[context.precision],
    device: 'cpu' as const,
    training: true,
  };
  return { predicted: passBytes(networkOf(child, context.dimensions), pass), measured: measure(step) };
}

function evaluatedBytes({ context, state }: Opened, child: ChildArchitecture, size: MemoryCase['volume']): Bytes {
  const dataType = dataTypeOf[context.precision];
  const network = networkOf(child, context.dimensions);
  const values = new Float32Array(2 * size[0] * size[1] * size[2]);
  return noGradient(() =>
    scope(() => {
      const measured = measure(() =>
        scope(() => {
          const weights = networkWeights(network, state.trainer.weights, dataType);
          segment(network, weights, toImage(values, [1, 2, ...size], 'cpu', dataType));
        }),
      );
      return { predicted: passBytes(network, { batch: 1, size, dataType, device: 'cpu', training: false }), measured };
    }),
  );
}

describe.skipIf(process.platform !== 'linux')("a child's memory is what libtorch's allocator gives out for it", () => {
  const cases = precisions.flatMap((precision) =>
    (['macro', 'micro'] as const).flatMap((space): MemoryCase[] => [
      { precision, space, volume: [32, 64, 48], flatLevels: 0 },
      // Thin volumes: the kernels' gradients are made slice by slice, and dilated kernels convolve in float32.
      { precision, space, volume: [6, 112, 128], flatLevels: 0 },
      { precision, space, volume: [8, 112, 128], flatLevels: 0 },
      // Thick slices.
      { precision, space, volume: [16, 64, 64], flatLevels: 2 },
    ]),
  );
  const title = 'in $precision, $space space, volumes of $volume voxels, $flatLevels levels of flat kernels';
  it.each(cases)(title, (given) => {
    const opened = openSpace(given);
    for (const child of opened.drawn) {
      for (const { predicted, measured } of [trainedBytes(opened, child), evaluatedBytes(opened, child, given.volume)])
        expect(Math.abs(predicted - measured)).toBeLessThan(tolerance * measured + workBytes[given.precision]);
    }
  });
});
