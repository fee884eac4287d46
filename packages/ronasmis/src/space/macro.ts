import { type ChildArchitecture, type MacroArchitecture, strideBetween } from '../architecture/architecture.ts';
import type { NetworkDimensions } from '../architecture/dimensions.ts';
import { UserError } from '../base/errors.ts';
import type { Triple } from '../base/geometry.ts';
import { childNetwork } from '../network/child.ts';
import { type Cost, costOf } from '../network/cost.ts';
import { defaultRecipe } from '../recipe/recipe.ts';
import { noLimits, type SearchSpace, type SpaceLimits } from './space.ts';
import {
  allSkips,
  type ChoiceName,
  decisions,
  type MacroDecision,
  placeOf,
  poolings,
  type Section,
  table1,
} from './table1.ts';

/** The macro space, whose base child the other spaces are built around. */
export interface MacroSpace extends SearchSpace {
  readonly decisions: readonly MacroDecision[];
  decode(choices: readonly number[]): MacroArchitecture;
  readonly base: MacroArchitecture;
  readonly largest: MacroArchitecture;
  /** Patches that its poolings divide and its dilations fit into, whichever patch it has. */
  patchesOf(child: ChildArchitecture): readonly ChildArchitecture['patch'][];
}

/** Patch sizes to choose from, in voxels, largest first. */
interface PatchSizes {
  readonly depths: readonly number[];
  /** Height and width alike, within `bounds`. */
  readonly planes: readonly number[];
  /** Height and width of the median volume: a patch beyond it would be padding, which teaches nothing. */
  readonly bounds: readonly [number, number];
  /** Voxels that a patch may have. */
  readonly mostVoxels: number;
}

/** Four poolings that all halve multiply to 16, so patches come in steps of 16 voxels. */
const granule = 2 ** poolings;

/** Depth, height and width in voxels; the data set's median. */
type MedianVolume = Triple;

/**
 * The macro space for volumes of this size and a network of these dimensions, as far as memory allows: with `limits` that no base child
 * fits, there is no space to walk. Throws a UserError where the volumes are too small to be pooled within their plane.
 */
export function macroSpace(
  volume: MedianVolume,
  dimensions: NetworkDimensions,
  { patchVoxels, unpooledLevels = dimensions.flatLevels, fits, recipe = defaultRecipe.space }: SpaceLimits = noLimits,
): MacroSpace {
  const sizes = { ...sizesFor(volume), mostVoxels: patchVoxels };
  const baseChoices = complete([], sizes, (decision, made) =>
    poolsThickSlices(decision, unpooledLevels) ? 0 : cheapest(decision, made, sizes),
  );
  const base = decode(baseChoices, sizes);
  const cost = (child: MacroArchitecture): Cost => costOf(childNetwork(child, dimensions));
  const limit = (recipe.cost_limit ?? Number.POSITIVE_INFINITY) * cost(base).multiplyAdds;
  const affordable = (child: MacroArchitecture): boolean => cost(child).multiplyAdds <= limit;
  let largest: MacroArchitecture | undefined;
  return {
    decisions,
    admitted: (choices) =>
      Array.from({ length: decisions[choices.length].options }, (_, option) => {
        const next = [...choices, option];
        const child = (): MacroArchitecture => decode(complete(next, sizes), sizes);
        return exists(next, sizes) && (!isPooling(next) || affordable(child())) && (!fits || fits(child()));
      }),
    decode: (choices) => decode(choices, sizes),
    patchesOf: (child) => patchesFor(child, sizes).filter((patch) => !fits || fits({ ...child, patch })),
    base,
    baseChoices,
    covering: table1.dilation.options.map((dilation) => withAllSkips(base, dilation)),
    get largest() {
      largest ??= largestChild(sizes, { cost, affordable, fits }) ?? base;
      return largest;
    },
  };
}

/** A child of one dilation that takes in every skip. */
function withAllSkips(child: MacroArchitecture, dilation: 1 | 2 | 3): MacroArchitecture {
  return {
    ...child,
    encoder: child.encoder.map((level) => ({ ...level, dilation })),
    decoder: child.decoder.map((level) => ({ ...level, dilation, skips: allSkips })),
  };
}

function sizesFor([depth, height, width]: MedianVolume): Omit<PatchSizes, 'mostVoxels'> {
  const planes = patchSizes(Math.max(height, width), table1.patch_plane);
  if (planes[0] < granule) {
    throw new UserError(
      `The median scan has ${width} x ${height} voxels within its plane; at least ${granule} along one side are needed. ` +
        "Check the scans' axes: thick slices belong along the third.",
    );
  }
  return { depths: patchSizes(depth, table1.patch_depth), planes, bounds: [Math.floor(height), Math.floor(width)] };
}

/** The patches of the space on which a child can be trained. */
function patchesFor(child: ChildArchitecture, sizes: PatchSizes): readonly ChildArchitecture['patch'][] {
  const [depthStride, planeStride] = strideBetween(child, 0, child.encoder.length - 1);
  const levels = 'cell' in child ? [] : [child.encoder, child.decoder].flatMap((part) => [...part.entries()]);
  const fits = (depth: number, plane: number): boolean =>
    voxels(patchOf(depth, plane, sizes)) <= sizes.mostVoxels &&
    depthStride <= strideLimit(depth) &&
    planeStride <= strideLimit(plane) &&
    levels.every(([level, { dilation }]) => dilation === 1 || dilation < plane / strideBetween(child, 0, level)[1]);
  return sizes.depths.flatMap((depth) =>
    sizes.planes.filter((plane) => fits(depth, plane)).map((plane) => patchOf(depth, plane, sizes)),
  );
}

/** How many voxels the patches have that there are to choose from, most first. */
export function patchVoxelCounts(volume: MedianVolume): readonly number[] {
  const sizes = sizesFor(volume);
  const counts = sizes.depths.flatMap((depth) => sizes.planes.map((plane) => voxels(patchOf(depth, plane, sizes))));
  return [...new Set(counts)].sort((a, b) => b - a);
}

function patchOf(depth: number, plane: number, { bounds }: Pick<PatchSizes, 'bounds'>): MacroArchitecture['patch'] {
  return { depth, height: Math.min(plane, bounds[0]), width: Math.min(plane, bounds[1]) };
}

function voxels({ depth, height, width }: MacroArchitecture['patch']): number {
  return depth * height * width;
}

/** The largest patch of this depth that is allowed, as an option; none where none is. */
function planeFor(depth: number, sizes: PatchSizes): number | undefined {
  const plane = sizes.planes.findIndex((plane) => voxels(patchOf(depth, plane, sizes)) <= sizes.mostVoxels);
  return plane < 0 ? undefined : plane;
}

/** The depth, as an option, of the largest patch that is allowed. */
function largestPatchDepth(sizes: PatchSizes): number {
  const counts = sizes.depths.map((depth) => {
    const plane = planeFor(depth, sizes);
    return plane === undefined ? 0 : voxels(patchOf(depth, sizes.planes[plane], sizes));
  });
  return counts.indexOf(Math.max(...counts));
}

/**
 * Patch sizes along the depth or the plane for volumes of `extent` voxels, largest first: multiples of 16, or for a thin
 * volume the largest multiple of 8, 4, 2 or 1 within it.
 * @param options of Table 1's row: by how many sixteens they are smaller than the largest
 */
export function patchSizes(extent: number, { options }: { readonly options: readonly number[] }): readonly number[] {
  if (extent < granule) {
    const step = [8, 4, 2, 1].find((size) => size <= extent) ?? 1;
    return [Math.floor(extent / step) * step];
  }
  const largest = Math.floor(extent / granule) * granule;
  return options.map((steps) => largest - granule * steps).filter((size) => size >= granule);
}

/** What the poolings along an axis of `size` voxels may multiply to: the largest power of two that divides it, at most 16. */
function strideLimit(size: number): number {
  return [16, 8, 4, 2].find((stride) => size % stride === 0) ?? 1;
}

function isPooling(choices: readonly number[]): boolean {
  const { choice } = decisions[choices.length - 1];
  return choice === 'pool_depth' || choice === 'pool_plane';
}

/** Whether the last of `choices` can be made at all: a patch that is there, strides that divide it, a dilation that reaches. */
function exists(choices: readonly number[], sizes: PatchSizes): boolean {
  const { depths, planes } = sizes;
  const { choice, section } = decisions[choices.length - 1];
  const option = choices[choices.length - 1];
  switch (choice) {
    case 'patch_depth':
      return option < depths.length && planeFor(depths[option], sizes) !== undefined;
    case 'patch_plane':
      return option < planes.length && voxels(patchOf(depths[choices[0]], planes[option], sizes)) <= sizes.mostVoxels;
    case 'pool_depth':
      return stride('pool_depth', choices) <= strideLimit(depths[choices[0]]);
    case 'pool_plane':
      return stride('pool_plane', choices) <= strideLimit(planes[choices[1]]);
    case 'dilation':
      // The kernel's outer taps still fall inside the level's patch.
      return option === 0 || table1.dilation.options[option] < planes[choices[1]] / strideAbove(section, choices);
    default:
      return true;
  }
}

/** What the poolings along the depth or the plane among `choices` multiply to. */
function stride(pooling: 'pool_depth' | 'pool_plane', choices: readonly number[]): number {
  return choices.reduce(
    (product, option, at) => (decisions[at].choice === pooling ? product * table1[pooling].options[option] : product),
    1,
  );
}

/** The stride within the plane at which a section works. */
function strideAbove(section: Section, choices: readonly number[]): number {
  const level = section.part === 'network' ? 0 : section.level;
  const until = level === 0 ? 0 : placeOf('pool_plane', { part: 'encoder', level }) + 1;
  return stride('pool_plane', choices.slice(0, until));
}

/** An option of a decision after those that are made. */
type Choose = (decision: MacroDecision, made: readonly number[]) => number;

/** Fills up `choices`: where nothing else is said, by what costs least. */
function complete(
  choices: readonly number[],
  sizes: PatchSizes,
  choose: Choose = (decision, made) => cheapest(decision, made, sizes),
): readonly number[] {
  const made = [...choices];
  for (const decision of decisions.slice(choices.length)) made.push(choose(decision, made));
  return made;
}

/**
 * Whether a pooling along the depth would make slices thicker that are thick already: the base child does so only when its voxels have
 * become as wide (nnU-Net).
 */
function poolsThickSlices({ choice, section }: MacroDecision, unpooledLevels: number): boolean {
  return choice === 'pool_depth' && section.part === 'encoder' && section.level <= unpooledLevels;
}

/** The largest patch, poolings that halve while they can, no dilation, level-to-level skips. */
function cheapest({ choice, section, from }: MacroDecision, made: readonly number[], sizes: PatchSizes): number {
  if (choice === 'patch_depth') return largestPatchDepth(sizes);
  if (choice === 'patch_plane') return planeFor(sizes.depths[made[0]], sizes) ?? sizes.planes.length - 1;
  if (choice === 'pool_depth' || choice === 'pool_plane') return exists([...made, 1], sizes) ? 1 : 0;
  if (choice === 'skip') return section.part === 'decoder' && section.level === from ? 1 : 0;
  return choice === 'activation' ? table1.activation.options.indexOf('leaky_relu') : 0;
}

function decode(choices: readonly number[], sizes: PatchSizes): MacroArchitecture {
  const option = (choice: ChoiceName, section: Section, from?: number): number =>
    choices[placeOf(choice, section, from)];
  const block = (section: Section) => ({
    dilation: table1.dilation.options[option('dilation', section)],
    activation: table1.activation.options[option('activation', section)],
  });
  return {
    space: 'macro',
    patch: patchOf(sizes.depths[choices[0]], sizes.planes[choices[1]], sizes),
    encoder: Array.from({ length: poolings + 1 }, (_, level) => {
      const section = { part: 'encoder', level } as const;
      if (level === 0) return { pool: { depth: 1, plane: 1 }, ...block(section) };
      const pool = {
        depth: table1.pool_depth.options[option('pool_depth', section)],
        plane: table1.pool_plane.options[option('pool_plane', section)],
      };
      return { pool, ...block(section) };
    }),
    decoder: Array.from({ length: poolings }, (_, level) => {
      const section = { part: 'decoder', level } as const;
      const skips = allSkips.filter((from) => option('skip', section, from) === 1);
      return { ...block(section), skips };
    }),
  };
}

/** What the largest child is chosen by. */
interface LargestChildSearch {
  readonly cost: (child: MacroArchitecture) => Cost;
  readonly affordable: (child: MacroArchitecture) => boolean;
  readonly fits: SpaceLimits['fits'];
}

/**
 * Among all poolings of the largest patch that the cost limit and memory admit, those that leave the most activations; with all skips.
 * None where all skips are too much for any poolings.
 */
function largestChild(
  sizes: PatchSizes,
  { cost, affordable, fits }: LargestChildSearch,
): MacroArchitecture | undefined {
  const base = complete([], sizes);
  const places = base.flatMap((_, at) => (isPooling(base.slice(0, at + 1)) ? [at] : []));
  return (
    Array.from({ length: 2 ** places.length }, (_, bits) =>
      base.map((option, at) => (places.includes(at) ? (bits >> places.indexOf(at)) & 1 : option)),
    )
      .filter((choices) => places.every((at) => exists(choices.slice(0, at + 1), sizes)))
      // The limit is on the poolings, with level-to-level skips: as `admitted` evaluates them.
      .filter((choices) => affordable(decode(choices, sizes)))
      .map((choices) =>
        decode(
          choices.map((option, at) => (decisions[at].choice === 'skip' ? 1 : option)),
          sizes,
        ),
      )
      .map((child) => ({ child, activations: cost(child).activations }))
      .sort((one, other) => other.activations - one.activations)
      .find(({ child }) => !fits || fits(child))?.child
  );
}
