import { levels } from '../architecture/dimensions.ts';
import type { Decision } from './space.ts';

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

/** A part of the network that has its own choices (paper, Fig. 1). */
export type Section =
  | { readonly part: 'network' }
  | { readonly part: 'encoder'; readonly level: number }
  | { readonly part: 'decoder'; readonly level: number };

/** One choice of Table 1 at one place. */
export interface MacroDecision extends Decision {
  readonly choice: ChoiceName;
  readonly section: Section;
  /** Of a skip: the encoder level that it comes from. */
  readonly from?: number;
}

/** Encoder levels that a skip can come from: the lowest is where the decoder starts, so it is no choice. */
export const skipLevels = levels - 1;
export const allSkips: readonly number[] = Array.from({ length: skipLevels }, (_, from) => from);
export const poolings = levels - 1;

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

function decide(choice: ChoiceName, section: Section): readonly MacroDecision[] {
  const { options } = table1[choice];
  const decisionFrom = (from?: number): MacroDecision => ({
    choice,
    section,
    options: options.length,
    words: { title: titleOf(choice, section, from), options: options.map((option) => optionName(choice, option)) },
    ...(from !== undefined && { from }),
  });
  return choice === 'skip' ? Array.from({ length: skipLevels }, (_, from) => decisionFrom(from)) : [decisionFrom()];
}

/** A choice of a section in words, such as `dilation, encoder level 2`. */
export function titleOf(choice: ChoiceName, section: Section, from?: number): string {
  if (section.part === 'network') return choice === 'patch_depth' ? 'patch depth' : 'patch height and width';
  const { part, level } = section;
  if (choice === 'pool_depth') return `pooling of the depth before level ${level}`;
  if (choice === 'pool_plane') return `pooling in the plane before level ${level}`;
  if (choice === 'skip') return `skip of encoder level ${from} to decoder level ${level}`;
  return `${choice}, ${part} level ${level}`;
}

/** An option in words; of a patch, by how many sixteens it is smaller than the largest. */
function optionName(choice: ChoiceName, option: number | boolean | string): string {
  if (typeof option === 'boolean') return option ? 'yes' : 'no';
  if (choice !== 'patch_depth' && choice !== 'patch_plane') return String(option);
  return option === 0 ? 'largest' : `${16 * Number(option)} less`;
}

/** A section's choices are made in the order of the table. */
const order: readonly ChoiceName[] = Object.keys(table1).filter((name): name is ChoiceName => name in table1);

const listed: readonly MacroDecision[] = sections.flatMap((section) =>
  order.filter((choice) => applies(table1[choice].where, section)).flatMap((choice) => decide(choice, section)),
);

/** All decisions of a child in the order that the controller makes them: down the encoder, then up the decoder. */
export const decisions: readonly MacroDecision[] = listed.map((decision) =>
  // A skip takes in the encoder level that it comes from, or nothing.
  decision.from === undefined ? decision : { ...decision, sources: [null, afterEncoderLevel(decision.from)] },
);

function afterEncoderLevel(level: number): number {
  return 1 + listed.findLastIndex(({ section }) => section.part === 'encoder' && section.level === level);
}

const places = new Map(decisions.map(({ choice, section, from }, index) => [placeName(choice, section, from), index]));

function placeName(choice: ChoiceName, section: Section, from: number | undefined): string {
  return `${section.part} ${section.part === 'network' ? '' : section.level} ${choice} ${from ?? ''}`;
}

/** Where among the decisions a choice of a section stands. Throws where the section does not have it. */
export function placeOf(choice: ChoiceName, section: Section, from?: number): number {
  const place = places.get(placeName(choice, section, from));
  if (place === undefined) throw new Error(`There is no choice of ${choice} in this section.`);
  return place;
}
