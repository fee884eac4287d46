import type { ChildArchitecture } from '../architecture/architecture.ts';
import type { Recipe } from '../recipe/recipe.ts';

/** One choice, to be answered by the index of an option. */
export interface Decision {
  /** What is chosen. Decisions of one name have the same options, and a policy has one set of weights for them. */
  readonly choice: string;
  readonly options: number;
  /** What is chosen and where, in words, and each option; who has none is called by `choice` and numbers. */
  readonly words?: { readonly title: string; readonly options: readonly string[] };
  /**
   * Of a choice among earlier parts of the network, for each option the decision that follows its part, by its index; null where
   * nothing that was decided is taken in. A policy answers it by attention to these parts: at the decision after a part, its
   * state has seen all of the part.
   */
  readonly sources?: readonly (number | null)[];
}

/** What a controller walks: one decision after the other, with what each may still be. */
export interface DecisionSpace {
  readonly decisions: readonly Decision[];
  /** Which options of the decision after `choices` lead to a child that the space allows: never none. */
  admitted(choices: readonly number[]): readonly boolean[];
  /** The choices of what a person would start from. */
  readonly baseChoices: readonly number[];
}

/** A space of networks that share their weights. */
export interface SearchSpace extends DecisionSpace {
  /** The child that a full list of choices says. */
  decode(choices: readonly number[]): ChildArchitecture;
  /** Patches that a child can be trained on, in place of its own as well; its own alone where the space does not say it. */
  patchesOf?(child: ChildArchitecture): readonly ChildArchitecture['patch'][];
  /** What a person would start from: a U-Net of the largest patch that memory allows, as much pooling as can be, level-to-level skips. */
  readonly base: ChildArchitecture;
  /** Children that use every weight of the space between them: what the shared weights are made for. */
  readonly covering: readonly ChildArchitecture[];
  /** Of the children that fit into memory, the one that keeps the most activations for the backward pass. */
  readonly largest: ChildArchitecture;
}

/** What a memory budget and a recipe leave of a space. */
export interface SpaceLimits {
  /** That a training patch may have. */
  readonly patchVoxels: number;
  /** The base child does not pool the depth before the levels up to this one; where kernels are 1x3x3, where it is left out. */
  readonly unpooledLevels?: number;
  /** Whether memory suffices for a child; left out where it does for all. */
  readonly fits?: (child: ChildArchitecture) => boolean;
  /** The default one where it is left out. */
  readonly recipe?: Recipe['space'];
}

export const noLimits: SpaceLimits = { patchVoxels: Number.POSITIVE_INFINITY };

/** What the decision after `choices` can be: the indices of its admitted options, ascending. */
export function admittedOptions(
  { admitted }: Pick<DecisionSpace, 'admitted'>,
  choices: readonly number[],
): readonly number[] {
  return admitted(choices).flatMap((allowed, option) => (allowed ? [option] : []));
}
