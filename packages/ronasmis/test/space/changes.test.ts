import { describe, expect, it } from 'vitest';
import { architectureSchema, type MacroArchitecture } from '../../src/architecture/architecture.ts';
import { type NetworkDimensions, networkDimensions } from '../../src/architecture/dimensions.ts';
import { costOf } from '../../src/network/cost.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { defaultRecipe, differences, recipeSchema } from '../../src/recipe/recipe.ts';
import { type Change, changes } from '../../src/space/changes.ts';
import { macroSpace } from '../../src/space/macro.ts';

const thick = networkDimensions(1, 2, 2);
const even = networkDimensions(1, 2);
/** Base networks of thick slices and of cubes. */
const [ofThick, ofCubes] = [macroSpace([24, 160, 160], thick).base, macroSpace([64, 64, 64], even).base];

const called = (name: string): Change => {
  const found = changes.find((change) => change.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};
const dimensionsOf = (child: MacroArchitecture): NetworkDimensions => (child === ofThick ? thick : even);
const changed = (name: string, child: MacroArchitecture): MacroArchitecture | undefined =>
  called(name).network?.(child, dimensionsOf(child));

it('changes have names of their own, which a file system takes', () => {
  const names = ['base', ...changes.map(({ name }) => name)];
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9.-]+$/);
});

describe.each([
  ['thick slices', ofThick, thick],
  ['cubes', ofCubes, even],
] as const)('of %s', (_, child, dimensions) => {
  const ofNetwork = changes.filter(({ network }) => network);

  it.each(ofNetwork)('$name is another network that can be built and kept', ({ network }) => {
    const other = network?.(child, dimensions);
    if (other === undefined) return;
    expect(other).not.toEqual(child);
    expect(architectureSchema.parse(JSON.parse(JSON.stringify(other)))).toEqual(other);
    expect(costOf(networkOf(other, dimensions)).multiplyAdds).toBeGreaterThan(0);
  });
});

it('most can be made of either base; what can not is left out', () => {
  const impossible = (child: MacroArchitecture) =>
    changes
      .filter(({ network }) => network && network(child, dimensionsOf(child)) === undefined)
      .map(({ name }) => name);
  expect(impossible(ofThick)).toEqual([]);
  expect(impossible(ofCubes)).toEqual(['pool-depth-more', 'kernels-deep']);
});

it.each(changes.filter(({ recipe }) => recipe))(
  '$name changes one section of the recipe, to what it may be',
  ({ recipe }) => {
    const other = recipe?.(defaultRecipe) ?? defaultRecipe;
    expect(recipeSchema.parse(other)).toEqual(other);
    const found = differences(other, defaultRecipe);
    expect(found.length).toBeGreaterThan(0);
    expect(new Set(found.map(({ section }) => section)).size).toBe(1);
  },
);

it('changes what its name says', () => {
  const poolings = ({ encoder }: MacroArchitecture) => encoder.map(({ pool }) => pool.depth).join('');
  expect(poolings(ofThick)).toBe('11122');
  expect(poolings(changed('pool-depth-more', ofThick) ?? ofThick)).toBe('12122');
  expect(poolings(changed('pool-depth-less', ofThick) ?? ofThick)).toBe('11112');
  const { depth, height, width } = ofCubes.patch;
  expect(changed('patch-half', ofCubes)?.patch).toEqual({ depth, height: height / 2, width: width / 2 });
  // A patch of 64 voxels is 4 across at the lowest level: more than 3.
  expect(changed('dilation-3', ofCubes)?.encoder.map(({ dilation }) => dilation)).toEqual([3, 3, 3, 3, 3]);
  const narrowed = { ...ofCubes, patch: { depth: 16, height: 32, width: 32 } };
  expect(changed('dilation-3', narrowed)?.encoder.map(({ dilation }) => dilation)).toEqual([3, 3, 3, 3, 1]);
  const { multiplyAdds } = costOf(networkOf(ofCubes, even));
  expect(changed('width-1.5', ofCubes)?.width).toBe(24);
  const cost = (name: string): number => costOf(networkOf(changed(name, ofCubes) ?? ofCubes, even)).multiplyAdds;
  expect(cost('convolutions-1')).toBeLessThan(multiplyAdds);
  expect(cost('convolutions-3')).toBeGreaterThan(multiplyAdds);
  expect(called('augment-2').recipe?.(defaultRecipe).augmentation).toMatchObject({
    spatial: 2 * defaultRecipe.augmentation.spatial,
    noise_share: [1, 0.3],
    blur_share: [0, 0.5],
  });
});
