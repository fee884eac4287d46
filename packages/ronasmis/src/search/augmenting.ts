import type { AugmentMode } from '../recipe/augment-mode.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { SearchEvent } from '../run/event.ts';

/** What of a finished step tells whether the training over-fits. */
export type CurvePoint = Pick<SearchEvent, 'reward_max' | 'loss' | 'coarse'>;

/** Whether a run augments its patches as it stands; what it once does, it does to its end. */
export interface Augmenting {
  readonly when: AugmentMode;
  readonly curve: CurvePoint[];
  isOn: boolean;
}

/** What of a recipe decides. */
type AugmentRecipe = Pick<Recipe['augmentation'], 'from_passes' | 'patience'>;

/**
 * How a run begins.
 * @param passes over the training cases, that the run will have as far as can be told at its start
 */
export function augmentsFromStart(when: AugmentMode, passes: number, { from_passes }: AugmentRecipe): boolean {
  if (when !== 'auto') return when === 'on';
  return from_passes !== null && passes > from_passes;
}

/** Takes a finished step down. Where the run over-fits by now, `auto` augments from the next one on. */
export function followCurve(augmenting: Augmenting, point: CurvePoint, { patience }: AugmentRecipe): void {
  augmenting.curve.push(point);
  if (augmenting.when === 'auto' && patience !== null && overfits(augmenting.curve, patience)) augmenting.isOn = true;
}

/** Whether the best reward of the stage is that many evaluations ago, while the loss has fallen since. */
function overfits(curve: readonly CurvePoint[], patience: number): boolean {
  const stage = curve.filter(({ coarse, reward_max }) => coarse === curve.at(-1)?.coarse && reward_max !== null);
  const [last, best] = [stage.at(-1), Math.max(...stage.map((point) => point.reward_max ?? 0))];
  const at = stage.findIndex(({ reward_max }) => reward_max === best);
  return last !== undefined && stage.length - 1 - at >= patience && last.loss < stage[at].loss;
}
