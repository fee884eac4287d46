import { type Html, html } from './html.ts';

/** A dot on a strip; its label shows on hovering, and a tone gives it another colour than its row's. */
export type StripDot = { readonly value: number; readonly label: string; readonly tone?: string };

/** A row of dots with its name and, below that, a note; a line stands at the mean or another middle. */
export type Strip = {
  readonly name: string;
  readonly note: string;
  readonly tone: string;
  readonly middle: number;
  readonly dots: readonly StripDot[];
};

/** Dots nearer than this, in percent of the width, are put below each other. */
const CROWDED = 1.1;
const LANES = [0, -1, 1, -2, 2, -3, 3];

/**
 * Rows of many dots on one axis: a dot is a case.
 * @param ticks of the axis, ascending, from its beginning to its end
 */
export function strips(rows: readonly Strip[], ticks: readonly number[], format: (value: number) => string): Html {
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const position = (value: number): number => Math.round(((value - low) / (high - low)) * 1000) / 10;
  return html`<div class="dots">${rows.map((row) => drawRow(row, position))}
<div class="axis">${ticks.map((tick) => html`<span style="left:${position(tick)}%">${format(tick)}</span>`)}</div></div>`;
}

function drawRow({ name, note, tone, middle, dots }: Strip, position: (value: number) => number): Html {
  const placed = dots.map((dot) => ({ ...dot, left: position(dot.value) })).sort((a, b) => a.left - b.left);
  const lanes = swarm(placed.map((dot) => dot.left));
  return html`<div class="row ${tone}"><div class="name"><b>${name}</b><span>${note}</span></div>
<div class="strip"><i class="mean" style="left:${position(middle)}%"></i>
${placed.map(({ label, left, tone = '' }, i) => html`<i class="dot ${tone}" style="left:${left}%;--lane:${lanes[i]}" data-label="${label}"></i>`)}
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
