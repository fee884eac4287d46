import { oneDnnTakesBfloat16 } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import type { Architecture, ChildArchitecture } from '../../src/architecture/architecture.ts';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { patchOf } from '../../src/architecture/patch.ts';
import { voxelsOf } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { drawChild } from '../../src/controller/draw.ts';
import type { Precision } from '../../src/engine/device.ts';
import { createSearchState } from '../../src/search/state.ts';
import { createSpace } from '../../src/space/spaces.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { evaluatedMemory, trainedMemory } from './pass-memory.ts';
import { workBytes } from './work-bytes.ts';

const precisions: readonly Precision[] = oneDnnTakesBfloat16() ? ['fp32', 'bf16'] : ['fp32'];
const children = 3;
/** How far off a prediction may be: what is smaller than 64 KiB is predicted, but not counted by the allocator. */
const tolerance = 0.1;

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

/** With itself at half the resolution beside it, where it can have that. */
const joinedWithItself = (child: ChildArchitecture): Architecture =>
  'cell' in child ? child : { ...child, coarse: { downsampling: [1, 2, 2], network: child, fine_share: 0.5 } };

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
      for (const { predicted, measured } of [
        trainedMemory(opened, child),
        evaluatedMemory(opened, child, given.volume),
        evaluatedMemory(opened, joinedWithItself(child), given.volume),
      ])
        expect(Math.abs(predicted - measured)).toBeLessThan(tolerance * measured + workBytes[given.precision]);
    }
  });
});
