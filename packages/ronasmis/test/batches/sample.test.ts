import { describe, expect, test } from 'vitest';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { samplePlan } from '../../src/batches/sample.ts';
import { unturned } from '../../src/formats/orientation.ts';
import type { PreparedCase } from '../../src/preparation/prepare.ts';

const prepared = (shape: Triple, foreground: readonly number[]): PreparedCase => ({
  name: 'a',
  labelFile: '',
  labelTurn: unturned,
  channels: 1,
  shape,
  spacing: [1, 1, 1],
  crop: { offset: [0, 0, 0], shape, scanShape: shape },
  storage: { kind: 'memory', image: new Float32Array(voxelsOf(shape)), label: new Uint8Array(voxelsOf(shape)) },
  labelled: [1],
  lost: [],
  foreground: Uint32Array.from(foreground),
  outsideCrop: [0],
});

describe('sampling crops', () => {
  const sampled = (shape: Triple, patch: Triple, foreground: readonly number[], draws = 600) =>
    samplePlan(createRandom(7), [prepared(shape, foreground)], new Array<number>(draws).fill(0), {
      patch,
      augment: false,
    }).crops;

  test('keeps patches inside larger volumes, reaches every offset and flips half of them', () => {
    const crops = sampled([6, 4, 9], [4, 4, 4], []);
    const starts = (axis: number) => [...new Set(crops.map(({ offset }) => offset[axis]))].sort();
    expect([starts(0), starts(1), starts(2)]).toEqual([[0, 1, 2], [0], [0, 1, 2, 3, 4, 5]]);
    expect(Math.abs(crops.filter(({ flip }) => flip).length - 300)).toBeLessThan(60);
  });

  test('pads smaller volumes evenly', () => {
    const [{ offset }] = sampled([5, 6, 7], [8, 8, 8], [0], 1);
    expect(offset).toEqual([-1, -1, 0]);
  });

  test('a third of the crops is centred on a labelled voxel, as far as the volume reaches', () => {
    // The voxel at [1, 10, 19] of a 20 x 20 x 20 volume.
    const crops = sampled([20, 20, 20], [4, 4, 4], [1 * 400 + 10 * 20 + 19]);
    const centred = crops.filter(({ offset: [z, y, x] }) => z === 0 && y === 8 && x === 16);
    expect(Math.abs(centred.length - 200)).toBeLessThan(50);
  });

  test('depends on the seed alone', () => {
    expect(sampled([9, 9, 9], [4, 4, 4], [5])).toEqual(sampled([9, 9, 9], [4, 4, 4], [5]));
  });

  test('are augmented where that is asked for, and plain data, which survives the way to the thread that fills the batch', () => {
    const plan = (augment: boolean) =>
      samplePlan(createRandom(1), [prepared([9, 14, 12], [])], [0, 0, 0], { patch: [4, 4, 4], augment });
    for (const crop of plan(false).crops) expect(Object.keys(crop)).toEqual(['case', 'offset', 'flip']);
    for (const crop of plan(true).crops) expect(crop.augmentation).toBeDefined();
    expect(plan(true)).toEqual(plan(true));
    expect(structuredClone(plan(true))).toEqual(plan(true));
  });
});
