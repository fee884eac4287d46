import { UserError } from '../errors.ts';
import { levels, type NetworkDimensions } from '../network/dimensions.ts';
import { type Activation, type Architecture, architectureSchema } from './architecture.ts';
import { activationsPerVoxel, multiplyAddsPerVoxel } from './cost.ts';

/**
 * The macro search space: Table 1 of the paper. A row is one choice, where it is made and what it can be.
 * Patches are the largest multiple of 16 within the median volume, less the given number of sixteens.
 */
export const table1 = {
  patch_depth: { where: 'once', options: [0, 1, 2, 3, 4] },
  patch_plane: { where: 'once', options: [0, 1, 2, 3, 4] },
  pool_depth: { where: 'pooling', options: [1, 2] },
  pool_plane: { where: 'pooling', options: [1, 2] },
  dilation: { where: 'level', options: [1, 2, 3] },
  activation: { where: 'level', options: ['relu', 'leaky_relu', 'elu'] },
  /** Whether an encoder level is added in: asked of every decoder level for each encoder level above the lowest. */
  skip: { where: 'decoder', options: [false, true] },
} as const;

export type ChoiceName = keyof typeof table1;

/** One choice at one place, to be answered by the index of an option. */
export interface Decision {
  readonly choice: ChoiceName;
  readonly section: Section;
  readonly options: number;
  /** Of a skip: the encoder level that it comes from. */
  readonly from?: number;
}

/** A part of the network that has its own choices (paper, Fig. 1). */
export type Section =
  | { readonly part: 'network' }
  | { readonly part: 'encoder'; readonly level: number }
  | { readonly part: 'decoder'; readonly level: number };

/** A space that a controller can walk: one decision after the other, with what each may still be. */
export interface SearchSpace {
  readonly decisions: readonly Decision[];
  /** Which options of the decision after `choices` lead to a child that the space allows. */
  admitted(choices: readonly number[]): readonly boolean[];
  /** The child that a full list of choices says. */
  decode(choices: readonly number[]): Architecture;
  /** The choices that say this child. Throws where it is not of this space. */
  encode(architecture: Architecture): readonly number[];
  /** Largest patch, full pooling, no dilation, level-to-level skips: the U-Net that a person would start from. */
  readonly base: Architecture;
  /** The child that needs the most memory to train. */
  readonly largest: Architecture;
}

/** Strides multiply to 16 where all four poolings halve, so patches come in steps of 16 voxels. */
const granule = 16;
/** A child may cost this many times the base child's multiply-adds: without a bound, a child that pools nothing costs 60 times. */
const costLimit = 2;

const sections: readonly Section[] = [
  { part: 'network' },
  ...Array.from({ length: levels }, (_, level): Section => ({ part: 'encoder', level })),
  ...Array.from({ length: levels - 1 }, (_, up): Section => ({ part: 'decoder', level: levels - 2 - up })),
];

function applies(where: (typeof table1)[ChoiceName]['where'], section: Section): boolean {
  switch (where) {
    case 'once':
      return section.part === 'network';
    case 'pooling':
      return section.part === 'encoder' && section.level > 0;
    case 'level':
      return section.part !== 'network';
    case 'decoder':
      return section.part === 'decoder';
  }
}

const choiceNames: readonly ChoiceName[] = [
  'patch_depth',
  'patch_plane',
  'pool_depth',
  'pool_plane',
  'dilation',
  'activation',
  'skip',
];
/** The lowest encoder level is where the decoder starts from, so it is no choice. */
const skipLevels = levels - 1;

const decisions: readonly Decision[] = sections.flatMap((section) =>
  choiceNames
    .filter((choice) => applies(table1[choice].where, section))
    .flatMap((choice): Decision[] => {
      const decision = { choice, section, options: table1[choice].options.length };
      return choice === 'skip' ? Array.from({ length: skipLevels }, (_, from) => ({ ...decision, from })) : [decision];
    }),
);

/**
 * Patch sizes along the depth or the plane for volumes of `extent` voxels, largest first: multiples of 16, or for a thin
 * volume the largest multiple of 8, 4, 2 or 1 within it. At most five.
 */
export function patchSizes(extent: number): readonly number[] {
  if (extent < granule) {
    const step = [8, 4, 2, 1].find((size) => size <= extent) ?? 1;
    return [Math.floor(extent / step) * step];
  }
  const largest = Math.floor(extent / granule) * granule;
  return table1.patch_plane.options.map((steps) => largest - granule * steps).filter((size) => size >= granule);
}

/** Largest power of two that divides `size`, at most 16: what the poolings along that axis may multiply to. */
function strideLimit(size: number): number {
  return [16, 8, 4, 2].find((stride) => size % stride === 0) ?? 1;
}

/**
 * The macro space for volumes of `volume` voxels (depth, height, width; the data set's median) and a network of these
 * dimensions. Throws a UserError where the volumes are too small to be pooled within their plane.
 */
export function macroSpace(volume: readonly [number, number, number], dimensions: NetworkDimensions): SearchSpace {
  const [depth, height, width] = volume;
  const depths = patchSizes(depth);
  const planes = patchSizes(Math.max(height, width));
  if (planes[0] < granule) {
    throw new UserError(
      `The median scan is ${width} x ${height} voxels within its plane; at least 16 along one side are needed. Check the scans' orientation: thick slices belong along the third axis.`,
    );
  }

  const decode = (choices: readonly number[]): Architecture => decodeChoices(choices, depths, planes);
  const cheapest = cheapestPooling(depths[0]);
  const base = decode(complete([], cheapest));
  const limit = costLimit * multiplyAddsPerVoxel(base, dimensions);
  const affordable = (choices: readonly number[]): boolean =>
    multiplyAddsPerVoxel(decode(complete(choices, cheapestPooling(depths[choices[0] ?? 0]))), dimensions) <= limit;

  return {
    decisions,
    admitted(choices) {
      const { choice, options } = decisions[choices.length];
      return Array.from({ length: options }, (_, option) => {
        if (choice === 'patch_depth') return option < depths.length;
        if (choice === 'patch_plane') return option < planes.length;
        if (choice === 'pool_depth' || choice === 'pool_plane') {
          const next = [...choices, option];
          return strideFits(next, depths, planes) && affordable(next);
        }
        return choice !== 'dilation' || dilationReaches(choices, option, planes);
      });
    },
    decode,
    encode: (architecture) => encodeArchitecture(architecture, depths, planes),
    base,
    largest: largestChild(depths[0], decode, dimensions, limit),
  };
}

/** The poolings of a volume `size` voxels deep that leave the least work: all halve, along the depth as long as it can be. */
function cheapestPooling(size: number): readonly { readonly depth: number; readonly plane: number }[] {
  const halvings = Math.log2(strideLimit(size));
  return Array.from({ length: levels - 1 }, (_, pooling) => ({ depth: pooling < halvings ? 1 : 0, plane: 1 }));
}

/** Fills up `choices` with the least that can follow: the given poolings, no dilation, leaky ReLU, level-to-level skips. */
function complete(
  choices: readonly number[],
  pooling: readonly { readonly depth: number; readonly plane: number }[],
): readonly number[] {
  return decisions.map(({ choice, section, from }, at) => {
    if (at < choices.length) return choices[at];
    if (section.part === 'encoder' && choice === 'pool_depth') return pooling[section.level - 1].depth;
    if (section.part === 'encoder' && choice === 'pool_plane') return pooling[section.level - 1].plane;
    if (section.part === 'decoder' && choice === 'skip') return from === section.level ? 1 : 0;
    return choice === 'activation' ? 1 : 0;
  });
}

/** What the poolings among `choices` multiply to so far, along the depth and within the plane. */
function strides(choices: readonly number[]): { readonly depth: number; readonly plane: number } {
  const along = (name: ChoiceName): number =>
    choices.reduce(
      (product, value, at) => (decisions[at].choice === name ? product * table1.pool_depth.options[value] : product),
      1,
    );
  return { depth: along('pool_depth'), plane: along('pool_plane') };
}

function strideFits(choices: readonly number[], depths: readonly number[], planes: readonly number[]): boolean {
  const { depth, plane } = strides(choices);
  return depth <= strideLimit(depths[choices[0]]) && plane <= strideLimit(planes[choices[1]]);
}

/** A dilation is a choice only where a kernel's outer taps still fall inside the level's patch. */
function dilationReaches(choices: readonly number[], option: number, planes: readonly number[]): boolean {
  const { section } = decisions[choices.length];
  const until = section.part === 'decoder' ? choices.slice(0, firstDecision(section.level + 1)) : choices;
  return option === 0 || table1.dilation.options[option] < planes[choices[1]] / strides(until).plane;
}

/** Where the choices of an encoder level begin; the number of choices before the decoder for level 5. */
function firstDecision(level: number): number {
  const at = decisions.findIndex(
    ({ section }) => (section.part === 'encoder' && section.level === level) || section.part === 'decoder',
  );
  return at;
}

function decodeChoices(choices: readonly number[], depths: readonly number[], planes: readonly number[]): Architecture {
  const value = (choice: ChoiceName, part: 'encoder' | 'decoder', level: number): number =>
    choices[
      decisions.findIndex(
        (decision) => decision.choice === choice && decision.section.part === part && decision.section.level === level,
      )
    ];
  const pool = (level: number) =>
    level === 0
      ? ({ depth: 1, plane: 1 } as const)
      : {
          depth: table1.pool_depth.options[value('pool_depth', 'encoder', level)],
          plane: table1.pool_plane.options[value('pool_plane', 'encoder', level)],
        };
  const block = (part: 'encoder' | 'decoder', level: number) => ({
    dilation: table1.dilation.options[value('dilation', part, level)],
    activation: table1.activation.options[value('activation', part, level)],
  });
  const plane = planes[choices[1]];
  return {
    patch: { depth: depths[choices[0]], height: plane, width: plane },
    encoder: Array.from({ length: levels }, (_, level) => ({ pool: pool(level), ...block('encoder', level) })),
    decoder: Array.from({ length: levels - 1 }, (_, level) => ({
      ...block('decoder', level),
      skips: decisions.flatMap(({ section, from }, at) =>
        section.part === 'decoder' && section.level === level && from !== undefined && choices[at] === 1 ? [from] : [],
      ),
    })),
  };
}

function encodeArchitecture(
  architecture: Architecture,
  depths: readonly number[],
  planes: readonly number[],
): readonly number[] {
  const { patch, encoder, decoder } = architectureSchema.parse(architecture);
  const activationIndex = (name: Activation): number => table1.activation.options.indexOf(name);
  const choices = decisions.map(({ choice, section, from }) => {
    if (section.part === 'network')
      return choice === 'patch_depth' ? depths.indexOf(patch.depth) : planes.indexOf(patch.width);
    const block = section.part === 'encoder' ? encoder[section.level] : decoder[section.level];
    if (choice === 'dilation') return block.dilation - 1;
    if (choice === 'activation') return activationIndex(block.activation);
    if (section.part === 'decoder') return decoder[section.level].skips.some((skip) => skip === from) ? 1 : 0;
    const { pool } = encoder[section.level];
    return (choice === 'pool_depth' ? pool.depth : pool.plane) - 1;
  });
  if (choices.includes(-1)) throw new Error('This architecture has a patch that is not of this search space.');
  return choices;
}

/** Among all poolings that the cost limit admits, those that leave the most activations; every skip, the largest patch. */
function largestChild(
  depth: number,
  decode: (choices: readonly number[]) => Architecture,
  dimensions: NetworkDimensions,
  limit: number,
): Architecture {
  const poolings = levels - 1;
  const candidates = Array.from({ length: 1 << (2 * poolings) }, (_, bits) =>
    Array.from({ length: poolings }, (_, pooling) => ({
      depth: (bits >> (2 * pooling)) & 1,
      plane: (bits >> (2 * pooling + 1)) & 1,
    })),
  )
    .filter((pooling) => 2 ** pooling.reduce((sum, stride) => sum + stride.depth, 0) <= strideLimit(depth))
    .map((pooling) => decode(complete([], pooling)))
    .filter((child) => multiplyAddsPerVoxel(child, dimensions) <= limit);
  const [largest] = candidates.sort((a, b) => activationsPerVoxel(b, dimensions) - activationsPerVoxel(a, dimensions));
  return {
    ...largest,
    decoder: largest.decoder.map((level) => ({
      ...level,
      skips: Array.from({ length: skipLevels }, (_, from) => from),
    })),
  };
}
