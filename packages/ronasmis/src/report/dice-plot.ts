import { caseMean, type DiceSummary } from '../evaluation/summary.ts';
import { formatDice } from './format.ts';
import type { Html } from './html.ts';
import { type Strip, strips } from './strips.ts';

/**
 * Every case's Dice as a dot, a row for the mean over classes and one a class. The case's name shows on hovering.
 * @param classNames label value (as text) -> name
 */
export function dicePlot(dice: DiceSummary, classNames: Readonly<Record<string, string>>): Html {
  const cases = Object.entries(dice.cases);
  const low = axisStart(cases.flatMap(([, scores]) => Object.values(scores)));
  const rows = Object.entries(dice.classes).map(([label, mean], i) =>
    toStrip(
      classNames[label] ?? `label ${label}`,
      `class${i % 6}`,
      mean,
      cases.map(([name, scores]) => [name, scores[label]]),
    ),
  );
  const all = cases.map(([name, scores]): [string, number | null] => [name, caseMean(scores)]);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((fraction) => low + fraction * (1 - low));
  const overall = rows.length > 1 && dice.mean !== null ? [toStrip('Mean of classes', 'overall', dice.mean, all)] : [];
  return strips([...overall, ...rows], ticks, (tick) => String(Math.round(tick * 100)));
}

/** The lowest Dice, rounded down to a fifth, so that good results spread over the width. */
function axisStart(values: readonly (number | null)[]): number {
  const lowest = Math.min(0.8, ...values.filter((value) => value !== null));
  return Math.floor(lowest * 5) / 5;
}

function toStrip(
  name: string,
  tone: string,
  mean: number,
  values: readonly (readonly [string, number | null])[],
): Strip {
  const dots = values.flatMap(([label, dice]) =>
    dice === null ? [] : [{ value: dice, label: `${label} · ${formatDice(dice)} %` }],
  );
  return { name, note: `${formatDice(mean)} %`, tone, middle: mean, dots };
}
