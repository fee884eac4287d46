import type { Tensor } from '@ronasmis/libtorch';
import type { Random } from '../base/random.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { DecisionSpace } from '../space/space.ts';

/** The choices of a child, in the order of the space's decisions. */
export type Choices = readonly number[];

/** A child that was evaluated. */
export interface RewardedChild {
  readonly choices: Choices;
  /** Its validation Dice, a fraction. */
  readonly reward: number;
}

/** Where a search stands, as far as its clock can tell. */
export interface Outlook {
  /** Controller steps that the whole search will have. */
  readonly expectedSteps: number;
  /** How much of it is done, 0 to 1. */
  readonly done: number;
}

/** What children were drawn from, as a mean over them. */
export interface Distribution {
  /** Of a whole child, nats. */
  readonly entropy: number;
  /** How likely each option of each decision was, given the decisions before it; left out where nobody needs to be told. */
  readonly probabilities?: readonly (readonly number[])[];
}

/** All that changes in a controller, as a checkpoint keeps it: tensors, and plain values that JSON can hold. */
export interface ControllerState {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly plain: unknown;
}

/**
 * What a search asks of a controller. Every child that it proposes is one that its space admits. All chance comes from the generator
 * that it is handed, so that a search that is resumed goes on with the same children.
 */
export interface Controller {
  /** Called once before a new search. */
  begin(outlook: Outlook): void;
  /** Whether it chooses at all, as it has found when the search began; left out by those that always do. */
  explores?(): boolean;
  /** Children for `count` mini-batches of the shared weights. */
  proposeForTraining(count: number, random: Random, outlook: Outlook): readonly Choices[];
  /** Children to be evaluated, for `learn`. */
  proposeForEvaluation(count: number, random: Random, outlook: Outlook): readonly Choices[];
  /**
   * What these children were drawn from; null where they come from no distribution.
   * @param outlook as it was when they were proposed
   */
  distributionOf(children: readonly Choices[], outlook: Outlook): Distribution | null;
  /**
   * Learns from children that were evaluated. Not called while the shared weights have hardly been trained: rewards say then what learns
   * quickly, not what is good.
   * @param outlook as it was when they were proposed
   * @returns the moving average of the rewards that the children were compared with; null where there is no such thing
   */
  learn(children: readonly RewardedChild[], outlook: Outlook): number | null;
  /** After the last step: children that deserve to be evaluated beside those evaluated last. */
  finalists(): readonly Choices[];
  /** All that has changed since it was made, for a checkpoint. */
  state(): ControllerState;
  /** Takes over what `state` gave; the tensors stay the caller's. Throws where it is of another controller or space. */
  restore(state: ControllerState): void;
}

/**
 * Makes a controller that proposes children of `space`. Someone else's is called in `run.json` what the function is called.
 * @param seed decides its first weights, where it has any
 * @param recipe the run's constants for controllers
 */
export type CreateController = (space: DecisionSpace, seed: number, recipe: Recipe['controller']) => Controller;
