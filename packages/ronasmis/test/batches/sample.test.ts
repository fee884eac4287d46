import { describe, expect, test } from 'vitest';
import { type Triple, voxelsOf } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { lastAroundForeground, samplePlan } from '../../src/batches/sample.ts';
import { unturned } from '../../src/formats/orientation.ts';
import type { PreparedCase } from '../../src/preparation/prepare.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { nnunetReference } from './reference.ts';

const prepared = (
  shape: Triple,
  foreground: readonly number[],
  classForeground: readonly Uint32Array[] = [],
): PreparedCase => ({
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
  scattered: [],
  foreground: Uint32Array.from(foreground),
  classForeground,
  outsideCrop: [0],
  scanSpacing: [1, 1, 1],
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
    expect(Math.abs(crops.filter(({ flip }) => flip[0] === 'width').length - 300)).toBeLessThan(60);
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

  test('so many as the recipe says are around a labelled voxel: two of three, or none', () => {
    const share = (foreground_every: number | null): number => {
      const recipe = { ...defaultRecipe, training: { ...defaultRecipe.training, foreground_every } };
      const shape: Triple = [40, 40, 40];
      const one = prepared(shape, [0]);
      const { crops } = samplePlan(createRandom(3), [one], new Array<number>(900).fill(0), {
        patch: [4, 4, 4],
        augment: false,
        recipe,
      });
      return crops.filter(({ offset }) => String(offset) === '0,0,0').length / 900;
    };
    expect(Math.abs(share(1.5) - 2 / 3)).toBeLessThan(0.06);
    expect(share(null)).toBeLessThan(0.01);
    expect(share(1)).toBe(1);
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

describe("sampling as nnU-Net's data loader does", () => {
  const training = { ...defaultRecipe.training, foreground_last: 0.33 };
  const recipe = { ...nnunetRecipe, training };
  const drawn = (one: PreparedCase, patch: Triple, batch: number, batches: number) => {
    const random = createRandom(11);
    const draw = () =>
      samplePlan(random, [one], new Array<number>(batch).fill(0), { patch, augment: false, recipe }).crops;
    return Array.from({ length: batches }, draw);
  };
  const at = ([z, y, x]: Triple, [, height, width]: Triple): number => (z * height + y) * width + x;

  test.each(Object.entries(nnunetReference.last_around_foreground))(
    'of a batch of %s patches, the last %i are around a labelled voxel',
    (batch, last) => {
      expect(lastAroundForeground(Number(batch), training)).toBe(last);
      const one = prepared([9, 9, 9], [], [new Uint32Array(), Uint32Array.of(728)]);
      const [crops] = drawn(one, [4, 4, 4], Number(batch), 1);
      // Around the case's last voxel, and so beyond its end, where no other patch is.
      const around = crops.map(({ offset }) => String(offset) === '6,6,6');
      expect(around).toEqual(crops.map((_, index) => index >= Number(batch) - last));
    },
  );

  test.each(nnunetReference.placed)(
    'a patch of $patch in $shape is where nnU-Net has it',
    ({ shape, patch, ...expected }) => {
      const one = prepared(shape, [], [new Uint32Array(), Uint32Array.of(at(expected.voxel, shape))]);
      const batches = drawn(one, patch, 2, 3000);
      expect(new Set(batches.map(([, { offset }]) => String(offset)))).toEqual(new Set([String(expected.around)]));
      const free = batches.map(([{ offset }]) => offset);
      expect([0, 1, 2].map((axis) => Math.min(...free.map((offset) => offset[axis])))).toEqual(expected.first);
      expect([0, 1, 2].map((axis) => Math.max(...free.map((offset) => offset[axis])))).toEqual(expected.last);
    },
  );

  test('classes are as often drawn as each other, however large, and voxels of a class as well', () => {
    const shape: Triple = [20, 20, 20];
    const places: readonly Triple[] = [
      [5, 5, 5],
      [5, 5, 9],
      [5, 9, 5],
      [9, 5, 5],
    ];
    const [alone, ...others] = places.map((place) => at(place, shape));
    const one = prepared(
      shape,
      [],
      [new Uint32Array(), Uint32Array.of(alone), new Uint32Array(), Uint32Array.from(others)],
    );
    const counts = new Map<string, number>();
    for (const [, { offset }] of drawn(one, [2, 2, 2], 2, 10_000)) {
      counts.set(String(offset), (counts.get(String(offset)) ?? 0) + 1);
    }
    const shares = places.map((place) => (counts.get(String(place.map((index) => index - 1))) ?? 0) / 10_000);
    [1 / 2, 1 / 6, 1 / 6, 1 / 6].forEach((share, index) => {
      expect(Math.abs(shares[index] - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / 10_000));
    });
  });

  test('a case without labels is sampled anywhere', () => {
    const offsets = drawn(prepared([4, 4, 4], [], [new Uint32Array()]), [2, 2, 2], 2, 500).flat();
    expect(new Set(offsets.map(({ offset }) => String(offset))).size).toBe(27);
  });

  test('half of the patches are mirrored along each axis, whatever the others', () => {
    const crops = drawn(prepared([4, 4, 4], []), [2, 2, 2], 10, 1000).flat();
    const shares = new Map<string, number>();
    for (const { flip } of crops) shares.set(String(flip), (shares.get(String(flip)) ?? 0) + 1 / crops.length);
    expect(shares.size).toBe(8);
    for (const share of shares.values())
      expect(Math.abs(share - 1 / 8)).toBeLessThan(4 * Math.sqrt(7 / 64 / crops.length));
  });
});
