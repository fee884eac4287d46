import { describe, expect, it } from 'vitest';
import { architectureSchema, type MacroArchitecture } from '../../../src/architecture/architecture.ts';
import { networkDimensions } from '../../../src/architecture/dimensions.ts';
import { costOf } from '../../../src/network/cost.ts';
import { networkOf } from '../../../src/network/of-architecture.ts';
import { defaultRecipe, differences, recipeSchema } from '../../../src/recipe/recipe.ts';
import { macroSpace } from '../../../src/space/macro.ts';
import { base, type Variant, variants } from '../../../src/study/headroom/variants.ts';

const thick = networkDimensions(1, 2, 2);
const even = networkDimensions(1, 2);
/** Base networks of thick slices and of cubes. */
const [ofThick, ofCubes] = [macroSpace([24, 160, 160], thick).base, macroSpace([64, 64, 64], even).base];

const called = (name: string): Variant => {
  const found = variants.find((variant) => variant.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};
const changed = (name: string, child: MacroArchitecture): MacroArchitecture | undefined =>
  called(name).network?.(child);

it('variants have names of their own, which a file system takes', () => {
  const names = [base, ...variants].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9.-]+$/);
});

describe.each([
  ['thick slices', ofThick, thick],
  ['cubes', ofCubes, even],
] as const)('of %s', (_, child, dimensions) => {
  const ofNetwork = variants.filter(({ network }) => network);

  it.each(ofNetwork)('$name is another network that can be built and kept', ({ network }) => {
    const variant = network?.(child);
    if (variant === undefined) return;
    expect(variant).not.toEqual(child);
    expect(architectureSchema.parse(JSON.parse(JSON.stringify(variant)))).toEqual(variant);
    expect(costOf(networkOf(variant, dimensions)).multiplyAdds).toBeGreaterThan(0);
  });
});

it('most can be made of either base; what can not is left out', () => {
  const impossible = (child: MacroArchitecture) =>
    variants.filter(({ network }) => network && network(child) === undefined).map(({ name }) => name);
  expect(impossible(ofThick)).toEqual([]);
  expect(impossible(ofCubes)).toEqual(['pool-depth-more']);
});

it.each(variants.filter(({ recipe }) => recipe))(
  '$name changes one section of the recipe, to what it may be',
  ({ recipe }) => {
    const variant = recipe?.(defaultRecipe) ?? defaultRecipe;
    expect(recipeSchema.parse(variant)).toEqual(variant);
    const found = differences(variant, defaultRecipe);
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
  const cost = (name: string): number => costOf(networkOf(changed(name, ofCubes) ?? ofCubes, even)).multiplyAdds;
  expect(cost('convolutions-1')).toBeLessThan(multiplyAdds);
  expect(cost('convolutions-3')).toBeGreaterThan(multiplyAdds);
  expect(called('augment-2').recipe?.(defaultRecipe).augmentation).toMatchObject({
    spatial: 2 * defaultRecipe.augmentation.spatial,
    noise_share: [1, 0.3],
    blur_share: [0, 0.5],
  });
});
