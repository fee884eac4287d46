import type { NetworkDimensions } from '../architecture/dimensions.ts';
import type { Triple } from '../base/geometry.ts';
import { defaultRecipe } from '../recipe/recipe.ts';
import { macroSpace } from './macro.ts';
import { microSpace } from './micro.ts';
import type { SpaceName } from './names.ts';
import { admittedOptions, noLimits, type SearchSpace, type SpaceLimits } from './space.ts';

/**
 * Makes the search space for a data set. Someone else's is called in `run.json` what the function is called.
 * @param volume voxels of the data set's median scan, `[depth, height, width]`
 * @param dimensions what all its children have in common
 * @param limits what memory allows; a search asks for the space several times, until it fits
 */
export type CreateSpace = (volume: Triple, dimensions: NetworkDimensions, limits?: SpaceLimits) => SearchSpace;

const spaces: Readonly<Record<SpaceName, CreateSpace>> = {
  macro: drawnPatchSpace,
  micro: microSpace,
  fixed: fixedSpace,
};

/**
 * A space, one of ours by its name or what someone else's function makes, for volumes of `volume` voxels (depth, height, width; the data
 * set's median) and a network of these dimensions, as far as memory allows.
 * @throws UserError where the volumes are too small
 */
export function createSpace(
  space: SpaceName | CreateSpace,
  volume: Triple,
  dimensions: NetworkDimensions,
  limits: SpaceLimits = noLimits,
): SearchSpace {
  const create = typeof space === 'string' ? spaces[space] : space;
  return create(volume, dimensions, limits);
}

/**
 * The macro space, its patches left to whoever trains. A child is trained on its patch, yet evaluated on whole volumes with weights that
 * were trained on the patches of all children: its reward does not tell patches apart, and a controller that learnt from it would drift to
 * one by chance. The recipe may leave it to the controller all the same.
 */
function drawnPatchSpace(volume: Triple, dimensions: NetworkDimensions, limits = noLimits): SearchSpace {
  const macro = macroSpace(volume, dimensions, limits);
  const { recipe = defaultRecipe.space } = limits;
  const learnsPatches = recipe.patch_lead === null;
  const hidden = learnsPatches ? 0 : macro.decisions.filter(({ section }) => section.part === 'network').length;
  const patch = macro.baseChoices.slice(0, hidden);
  const { base, covering, patchesOf } = macro;
  return {
    decisions: macro.decisions.slice(hidden).map(({ sources, ...decision }) => ({
      ...decision,
      ...(sources && { sources: sources.map((source) => (source === null ? null : source - hidden)) }),
    })),
    admitted: (choices) => macro.admitted([...patch, ...choices]),
    decode: (choices) => macro.decode([...patch, ...choices]),
    baseChoices: macro.baseChoices.slice(hidden),
    base,
    covering,
    ...(!learnsPatches && { patchesOf }),
    // To find it takes a while, and the spaces that memory does not suffice for are not asked for it.
    get largest() {
      return macro.largest;
    },
  };
}

/** The base child alone: the macro space's decisions, each with one option left. What a search has to be better than. */
function fixedSpace(...given: Parameters<CreateSpace>): SearchSpace {
  const macro = macroSpace(...given);
  const { decisions, decode, base, baseChoices, covering } = macro;
  const admitted = ({ length }: readonly number[]): readonly boolean[] =>
    Array.from({ length: decisions[length].options }, (_, option) => option === baseChoices[length]);
  return { decisions, admitted, decode, base, baseChoices, covering, largest: base };
}

/** Whether a space leaves nothing to choose. */
export function hasOneChild(space: SearchSpace): boolean {
  return space.baseChoices.every((_, at) => admittedOptions(space, space.baseChoices.slice(0, at)).length === 1);
}
