import type { DiceSummary } from '../evaluation/summary.ts';
import { caseMean } from '../evaluation/summary.ts';
import { formatDice } from './format.ts';
import { type Html, html } from './html.ts';

/** Dots nearer than this, in percent of the width, are put below each other. */
const CROWDED = 1.1;
const LANES = [0, -1, 1, -2, 2, -3, 3];

/**
 * Every case's Dice as a dot, a row for the mean over classes and one a class. The case's name shows on hovering.
 * @param classNames label value (as text) -> name
 */
export function dicePlot(dice: DiceSummary, classNames: Readonly<Record<string, string>>): Html {
  const cases = Object.entries(dice.cases);
  const low = axisStart(cases.flatMap(([, scores]) => Object.values(scores)));
  const rows = Object.entries(dice.classes).map(([label, mean], i) =>
    drawRow(
      classNames[label] ?? `label ${label}`,
      `class${i % 6}`,
      mean,
      cases.map(([name, scores]) => [name, scores[label]]),
      low,
    ),
  );
  const all = cases.map(([name, scores]): [string, number | null] => [name, caseMean(scores)]);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((fraction) => low + fraction * (1 - low));
  return html`<div class="dots">${rows.length > 1 ? drawRow('Mean of classes', 'overall', dice.mean, all, low) : []}${rows}
<div class="axis">${ticks.map((tick) => html`<span style="left:${position(tick, low)}%">${Math.round(tick * 100)}</span>`)}</div></div>`;
}

/** The lowest Dice, rounded down to a fifth, so that good results spread over the width. */
function axisStart(values: readonly (number | null)[]): number {
  const lowest = Math.min(0.8, ...values.filter((value) => value !== null));
  return Math.floor(lowest * 5) / 5;
}

function position(dice: number, low: number): number {
  return Math.round(((dice - low) / (1 - low)) * 1000) / 10;
}

function drawRow(
  name: string,
  tone: string,
  mean: number,
  values: readonly (readonly [string, number | null])[],
  low: number,
): Html {
  const dots = values
    .flatMap(([label, dice]) => (dice === null ? [] : [{ label, dice, left: position(dice, low) }]))
    .sort((a, b) => a.left - b.left);
  const lanes = swarm(dots.map((dot) => dot.left));
  return html`<div class="row ${tone}"><div class="name"><b>${name}</b><span>${formatDice(mean)} %</span></div>
<div class="strip"><i class="mean" style="left:${position(mean, low)}%"></i>
${dots.map(({ label, dice, left }, i) => html`<i class="dot" style="left:${left}%;--lane:${lanes[i]}" data-label="${label} · ${formatDice(dice)} %"></i>`)}
</div></div>`;
}

/** A lane for each of the ascending positions, such that neighbours don't cover each other where lanes suffice. */
function swarm(positions: readonly number[]): readonly number[] {
  const lastIn = new Map<number, number>();
  return positions.map((left, i) => {
    const free = LANES.find((lane) => left - (lastIn.get(lane) ?? -100) >= CROWDED) ?? LANES[i % LANES.length];
    lastIn.set(free, left);
    return free;
  });
}
