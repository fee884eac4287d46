import type { Gain } from '../run/report.ts';
import { formatDice } from './format.ts';
import { points } from './study-verdict.ts';

/** What a search has gained over the base network that it began from, in a sentence. */
export function gainText({ found, base, differences }: Gain): string {
  if (differences.length === 0)
    return `What the search found is the base network that it began from (validation Dice ${formatDice(found)} %): it gained nothing by its choice.`;
  return `What the search found has a validation Dice of ${formatDice(found)} %, the base network that it began from ${formatDice(base)} %: ${points(found - base)} points.`;
}

/** Each kind of choice in which the found network differs from the base network, in words, and its worth in points. */
export function worths({ found, differences }: Gain): readonly (readonly [string, string])[] {
  return differences.map(({ what, without }) => [what, without === null ? '–' : points(found - without)]);
}

/** By what the gain is told. */
export const howTold =
  'Both compute with the weights that all children share, on the validation cases: this is what the choice went by, not what a network trained alone would be worth.';
