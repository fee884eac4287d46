import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axes, type Triple } from '../../src/base/geometry.ts';
import { type BatchPlan, type CropSource, fillBatch } from '../../src/batches/fill-batch.ts';
import { moveToDisk } from '../../src/preparation/storage.ts';
import { temporaryFolder } from '../formats/scans.ts';

const folder = await temporaryFolder();
const volumeOf = (shape: Triple): number => shape[0] * shape[1] * shape[2];

/** A case whose image counts its values from 1 and whose label repeats 1, 2, 3. */
function countingCase(shape: Triple, channels: number): CropSource {
  const image = Float32Array.from({ length: channels * volumeOf(shape) }, (_, i) => i + 1);
  const label = Uint8Array.from({ length: volumeOf(shape) }, (_, i) => 1 + (i % 3));
  return { channels, shape, storage: { kind: 'memory', image, label } };
}

/** The same crops, voxel by voxel. */
function expectedBatch(cases: readonly CropSource[], { patch, crops }: BatchPlan) {
  const image: number[] = [];
  const label: number[] = [];
  for (const { case: index, offset, flip } of crops) {
    const { channels, shape, storage } = cases[index];
    if (storage.kind === 'disk') throw new Error('the reference is in memory');
    for (let channel = -1; channel < channels; channel++) {
      for (let i = 0; i < volumeOf(patch); i++) {
        const inPatch = [Math.floor(i / (patch[1] * patch[2])), Math.floor(i / patch[2]) % patch[1], i % patch[2]].map(
          (at, axis) => (flip.includes(axes[axis]) ? patch[axis] - 1 - at : at),
        );
        const [z, y, column] = inPatch.map((at, axis) => at + offset[axis]);
        const inside = [z, y, column].every((at, axis) => at >= 0 && at < shape[axis]);
        const voxel = (z * shape[1] + y) * shape[2] + column;
        if (channel < 0) label.push(inside ? storage.label[voxel] : 0);
        else image.push(inside ? storage.image[channel * volumeOf(shape) + voxel] : 0);
      }
    }
  }
  return { image, label };
}

const triple = (min: number, max: number) =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min, max }));

describe('filling a batch', () => {
  test('copies what a loop over voxels does, for any shape, patch, offset and flip', () => {
    const crop = fc.record({ case: fc.nat(1), offset: triple(-6, 6), flip: fc.subarray([...axes]) });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 }),
        fc.tuple(triple(1, 5), triple(1, 5)),
        triple(1, 5),
        fc.array(crop, { minLength: 1, maxLength: 3 }),
        (channels, shapes, patch, crops) => {
          const cases = shapes.map((shape) => countingCase(shape, channels));
          const image = new Float32Array(crops.length * channels * volumeOf(patch)).fill(99);
          const label = new Uint8Array(crops.length * volumeOf(patch)).fill(99);
          fillBatch(cases, { patch, crops }, { image, label });
          const expected = expectedBatch(cases, { patch, crops });
          expect([...image]).toEqual(expected.image);
          expect([...label]).toEqual(expected.label);
        },
      ),
    );
  });

  test('reads the same from disk', async () => {
    const inMemory = countingCase([4, 5, 6], 2);
    if (inMemory.storage.kind === 'disk') throw new Error('unreachable');
    const storage = await moveToDisk(join(folder, 'case'), inMemory.storage.image, inMemory.storage.label);
    const plan: BatchPlan = { patch: [3, 6, 4], crops: [{ case: 0, offset: [1, -1, 2], flip: ['width'] }] };
    const arrays = () => ({ image: new Float32Array(2 * 72), label: new Uint8Array(72) });
    const [fromMemory, fromDisk] = [arrays(), arrays()];
    fillBatch([inMemory], plan, fromMemory);
    fillBatch([{ ...inMemory, storage }], plan, fromDisk);
    expect(fromDisk).toEqual(fromMemory);
  });
});
