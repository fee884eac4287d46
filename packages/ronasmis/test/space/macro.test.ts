import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  architectureSchema,
  type ChildArchitecture,
  type MacroArchitecture,
} from '../../src/architecture/architecture.ts';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { UserError } from '../../src/base/errors.ts';
import { createRandom } from '../../src/base/random.ts';
import { costOf } from '../../src/network/cost.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { macroSpace, patchSizes } from '../../src/space/macro.ts';
import { noLimits } from '../../src/space/space.ts';
import { table1 } from '../../src/space/table1.ts';
import { childrenOfAllPoolings, walk, walks } from './walk.ts';

const dimensions = networkDimensions(1, 3);
const costOfChild = (child: ChildArchitecture) => costOf(networkOf(child, dimensions));
const small = macroSpace([36, 51, 35], dimensions);

describe('patch sizes', () => {
  test.each([
    [35, [32, 16]],
    [51, [48, 32, 16]],
    [16, [16]],
    [31, [16]],
    [240, [240, 224, 208, 192, 176]],
    [15, [8]],
    [8, [8]],
    [5, [4]],
    [3, [2]],
    [1, [1]],
  ])('of an extent of %i voxels', (extent, sizes) => {
    expect(patchSizes(extent, table1.patch_depth)).toEqual(sizes);
  });

  test('are options as far as the volume goes', () => {
    expect(small.admitted([])).toEqual([true, true, false, false, false]);
    expect(small.admitted([1])).toEqual([true, true, true, false, false]);
    const choices = walk(small, [1, 2, ...Array<number>(42).fill(0)]);
    expect(small.decode(choices).patch).toEqual({ depth: 16, height: 16, width: 16 });
  });

  test('a plane of less than 16 voxels is a mistake of the axes', () => {
    expect(() => macroSpace([100, 12, 15], dimensions)).toThrow(UserError);
    expect(() => macroSpace([100, 12, 15], dimensions)).toThrow(/15 x 12 voxels within its plane/);
  });
});

test('the base child pools along thick slices only where voxels have become as wide, and other children as they like', () => {
  const depths = ({ encoder }: MacroArchitecture): readonly number[] => encoder.map(({ pool }) => pool.depth);
  const [plain, thick] = [0, 2].map((flatLevels) => macroSpace([9, 219, 220], networkDimensions(2, 3, flatLevels)));
  expect(depths(plain.base)).toEqual([1, 2, 2, 2, 1]);
  expect(depths(thick.base)).toEqual([1, 1, 1, 2, 2]);
  const flat = macroSpace([9, 219, 220], networkDimensions(2, 3, 5), { ...noLimits, unpooledLevels: 2 });
  expect(depths(flat.base)).toEqual([1, 1, 1, 2, 2]);
  expect(thick.base).toEqual(thick.decode(thick.baseChoices));
  expect(thick.base.encoder.map(({ pool }) => pool.plane)).toEqual(plain.base.encoder.map(({ pool }) => pool.plane));
  const seen = childrenOfAllPoolings(
    thick,
    ({ section, from }) => section.part === 'decoder' && section.level === from,
  ).map((child) => String(depths(child)));
  expect(seen).toContain(String([1, 2, 2, 2, 1]));
  expect(seen).toContain(String([1, 1, 1, 2, 2]));
});

test('a child says what was chosen', () => {
  const patch = [1, 0];
  const encoder = [2, 0, /**/ 1, 1, 1, 2, /**/ 0, 1, 0, 0, /**/ 1, 1, 0, 1, /**/ 0, 0, 0, 2];
  const decoder = [0, 1, 0, 0, 0, 0, /**/ 0, 2, 1, 0, 1, 1, /**/ 1, 0, 0, 1, 0, 0, /**/ 2, 2, 1, 1, 1, 1];
  expect(small.decode([...patch, ...encoder, ...decoder])).toEqual({
    space: 'macro',
    // The median volume is 35 voxels wide, so the patch of 48 is cut to it.
    patch: { depth: 16, height: 48, width: 35 },
    encoder: [
      { pool: { depth: 1, plane: 1 }, dilation: 3, activation: 'relu' },
      { pool: { depth: 2, plane: 2 }, dilation: 2, activation: 'elu' },
      { pool: { depth: 1, plane: 2 }, dilation: 1, activation: 'relu' },
      { pool: { depth: 2, plane: 2 }, dilation: 1, activation: 'leaky_relu' },
      { pool: { depth: 1, plane: 1 }, dilation: 1, activation: 'elu' },
    ],
    decoder: [
      { dilation: 3, activation: 'elu', skips: [0, 1, 2, 3] },
      { dilation: 2, activation: 'relu', skips: [1] },
      { dilation: 1, activation: 'elu', skips: [0, 2, 3] },
      { dilation: 1, activation: 'leaky_relu', skips: [] },
    ],
  });
});

/** Every kind of volume that a space is made for: cubes, slabs, thin slices, the least of all. */
describe.each([
  [36, 51, 35],
  [155, 240, 240],
  [24, 320, 320],
  [12, 256, 192],
  [5, 64, 70],
  [1, 16, 16],
  [16, 16, 16],
] as const)('volumes of %i x %i x %i voxels', (...volume) => {
  const space = macroSpace(volume, dimensions);
  const property = (check: (child: MacroArchitecture, choices: readonly number[]) => void): void => {
    fc.assert(
      fc.property(walks(space), (choices) => {
        check(space.decode(choices), choices);
      }),
      { numRuns: 25 },
    );
  };

  test('every walk by admitted options ends at a child, and no other walk ends at the same', () => {
    const walked = new Map<string, string>();
    property((child, choices) => {
      expect(architectureSchema.parse(child)).toEqual(child);
      const name = JSON.stringify(child);
      expect(walked.get(name) ?? choices.join()).toBe(choices.join());
      walked.set(name, choices.join());
    });
    expect(walked.size).toBeGreaterThan(10);
  });

  test('strides divide the patch where the volume does not bound it, and no patch is larger than the volume', () => {
    property(({ patch, encoder }) => {
      const depth = encoder.reduce((product, { pool }) => product * pool.depth, 1);
      const plane = encoder.reduce((product, { pool }) => product * pool.plane, 1);
      expect(patch.depth % depth).toBe(0);
      expect(Math.max(patch.height, patch.width) % plane).toBe(0);
      expect(patch.depth).toBeLessThanOrEqual(volume[0]);
      expect(patch.height).toBeLessThanOrEqual(volume[1]);
      expect(patch.width).toBeLessThanOrEqual(volume[2]);
      const square = patch.height === patch.width;
      expect(square || patch.height === volume[1] || patch.width === volume[2]).toBe(true);
    });
  });

  test("a dilated kernel's outer taps reach within the level's plane, and all dilations that do are admitted", () => {
    property(({ patch, encoder, decoder }, choices) => {
      const planes: number[] = [];
      for (const { pool } of encoder) planes.push((planes.at(-1) ?? Math.max(patch.height, patch.width)) / pool.plane);
      space.decisions.forEach(({ choice, section }, at) => {
        if (choice !== 'dilation' || section.part === 'network') return;
        const plane = planes[section.level];
        expect(space.admitted(choices.slice(0, at))).toEqual([true, 2 < plane, 3 < plane]);
        const { dilation } = section.part === 'encoder' ? encoder[section.level] : decoder[section.level];
        if (dilation > 1) expect(dilation).toBeLessThan(plane);
      });
    });
  });

  const own = childrenOfAllPoolings(space, ({ section, from }) => section.part === 'decoder' && section.level === from);
  const allSkips = childrenOfAllPoolings(space, () => true);

  test('a child costs at most one and a half times what the base costs, but for added skips', () => {
    const limit = 1.5 * costOfChild(space.base).multiplyAdds;
    for (const child of own) expect(costOfChild(child).multiplyAdds).toBeLessThanOrEqual(limit);
    // All sixteen skips add a tenth at most.
    for (const child of allSkips) expect(costOfChild(child).multiplyAdds).toBeLessThan(1.1 * limit);
    // The limit leaves a choice where a pooling of the plane does not quarter all work below it.
    expect(own.length).toBeGreaterThan(1);
  });

  test('no child leaves more activations than the largest, which is of the space', () => {
    const perVoxel = allSkips.map((child) => costOfChild(child).activations);
    expect(costOfChild(space.largest).activations).toBeCloseTo(Math.max(...perVoxel), 9);
    expect(allSkips).toContainEqual(space.largest);
    expect(space.largest.decoder.every(({ skips }) => skips.join() === '0,1,2,3')).toBe(true);
    property(({ patch }) => {
      expect(patch.depth).toBeLessThanOrEqual(space.largest.patch.depth);
      expect(patch.height).toBeLessThanOrEqual(space.largest.patch.height);
      expect(patch.width).toBeLessThanOrEqual(space.largest.patch.width);
    });
  });

  test('the base is of the space: largest patch, every pooling halves as far as it can, level-to-level skips', () => {
    const { patch, encoder, decoder } = space.base;
    const [depth, plane] = [
      patchSizes(volume[0], table1.patch_depth)[0],
      patchSizes(Math.max(volume[1], volume[2]), table1.patch_plane)[0],
    ];
    expect(own).toContainEqual(space.base);
    expect(patch).toEqual({ depth, height: Math.min(plane, volume[1]), width: Math.min(plane, volume[2]) });
    expect(encoder.slice(1).map(({ pool }) => pool.plane)).toEqual([2, 2, 2, 2]);
    expect(encoder.reduce((product, { pool }) => product * pool.depth, 1)).toBe(Math.min(depth, 16));
    for (const { dilation, activation } of [...encoder, ...decoder]) {
      expect([dilation, activation]).toEqual([1, 'leaky_relu']);
    }
    expect(decoder.map(({ skips }) => skips)).toEqual([[0], [1], [2], [3]]);
  });
});

test('a median between two volumes makes patches of whole voxels', () => {
  const { patch } = macroSpace([20.5, 40.5, 33.5], dimensions).base;
  expect(patch).toEqual({ depth: 16, height: 32, width: 32 });
  expect(macroSpace([20.5, 50.5, 33.5], dimensions).base.patch).toEqual({ depth: 16, height: 48, width: 33 });
});

describe('by admitted options a controller reaches', () => {
  /** Options that no walk out of many is offered. */
  const unreached = (volume: readonly [number, number, number]): readonly string[] => {
    const space = macroSpace(volume, dimensions);
    const offered = new Set<string>();
    const random = createRandom(1);
    for (let count = 0; count < 60; count++) {
      walk(
        space,
        space.decisions.map(() => random.integer(60)),
      ).forEach((_, at, choices) => {
        space.admitted(choices.slice(0, at)).forEach((allowed, option) => {
          if (allowed) offered.add(`${at} ${option}`);
        });
      });
    }
    return space.decisions.flatMap(({ choice, section, options }, at) =>
      Array.from({ length: options }, (_, option) => option)
        .filter((option) => !offered.has(`${at} ${option}`))
        .map((option) =>
          `${choice} ${table1[choice].options[option]} ${'level' in section ? section.level : ''}`.trim(),
        ),
    );
  };
  /** A network that does not pool there would cost more than the limit. */
  const tooDear = ['pool_depth 1 1', 'pool_plane 1 1', 'pool_plane 1 2'];

  test('all that Table 1 lists, but for the first poolings, which always halve', () => {
    expect(unreached([155, 240, 240])).toEqual(tooDear);
    expect(unreached([80, 80, 80])).toEqual(tooDear);
  });

  test('no patch that is larger than the volume', () => {
    const patches = ['patch_depth 1', 'patch_depth 2', 'patch_depth 3', 'patch_depth 4', 'patch_plane 4'];
    expect(unreached([24, 64, 70])).toEqual([...patches, ...tooDear]);
  });

  test('a first pooling that keeps the depth where the volumes are thin', () => {
    expect(unreached([12, 256, 256])).not.toContain('pool_depth 1 1');
    expect(unreached([5, 256, 256])).not.toContain('pool_depth 1 1');
  });
});
