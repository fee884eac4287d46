import type { Architecture } from '../architecture/architecture.ts';
import type { NetworkDimensions } from '../architecture/dimensions.ts';
import type { Triple } from '../base/geometry.ts';
import { macroSpace } from './macro.ts';
import { microSpace } from './micro.ts';
import { admittedOptions, noLimits, type SearchSpace, type SpaceLimits } from './space.ts';

/** What is searched: the network around its blocks, as in the paper; the block that all levels repeat; or nothing at all. */
export const spaceNames = ['macro', 'micro', 'fixed'] as const;
export type SpaceName = (typeof spaceNames)[number];

type MakeSpace = (volume: Triple, dimensions: NetworkDimensions, limits?: SpaceLimits) => SearchSpace;

const spaces: Readonly<Record<SpaceName, MakeSpace>> = { macro: macroSpace, micro: microSpace, fixed: fixedSpace };

/**
 * The space of this name for volumes of `volume` voxels (depth, height, width; the data set's median) and a network of these
 * dimensions, as far as memory allows. Throws a UserError where the volumes are too small.
 */
export function createSpace(
  name: SpaceName,
  volume: Triple,
  dimensions: NetworkDimensions,
  limits: SpaceLimits = noLimits,
): SearchSpace {
  return spaces[name](volume, dimensions, limits);
}

/** The base child alone: the macro space's decisions, each with one option left. What a search has to be better than. */
function fixedSpace(...given: Parameters<MakeSpace>): SearchSpace {
  const macro = macroSpace(...given);
  const { decisions, decode, base, baseChoices, covering } = macro;
  const admitted = ({ length }: readonly number[]): readonly boolean[] =>
    Array.from({ length: decisions[length].options }, (_, option) => option === baseChoices[length]);
  return { decisions, admitted, decode, base, baseChoices, covering, largest: base };
}

/** One child and no decision; the space's base child stays what batches are measured by. */
export function spaceOfOne(space: SearchSpace, child: Architecture): SearchSpace {
  return {
    decisions: [],
    admitted: () => [],
    decode: () => child,
    base: space.base,
    baseChoices: [],
    covering: [child],
    largest: child,
  };
}

/** Whether a space leaves nothing to choose. */
export function hasOneChild(space: SearchSpace): boolean {
  return space.baseChoices.every((_, at) => admittedOptions(space, space.baseChoices.slice(0, at)).length === 1);
}
