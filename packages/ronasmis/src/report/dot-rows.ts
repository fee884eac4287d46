import { niceTicks, scale } from './curves.ts';
import { type Html, html } from './html.ts';

/** A dot of a row: `error` is drawn as a bar to both sides, `label` shows on hovering, `text` stands above or below it. */
export type RowDot = {
  readonly value: number;
  readonly label: string;
  readonly tone: string;
  readonly error?: number;
  readonly text?: string;
};

/** A row of dots on the common axis; `mean` is drawn as a line, `note` stands at the end. */
export type DotRow = {
  readonly name: string;
  readonly dots: readonly RowDot[];
  readonly mean?: number;
  readonly note?: string;
};

const WIDTH = 880;
const LEFT = 250;
const RIGHT = 110;
const ROW = 40;

/** Rows of dots on one axis, as SVG in a figure. Rows without a finite value have a name alone. */
export function dotRows(title: string, rows: readonly DotRow[], format: (value: number) => string): Html {
  const values = rows
    .flatMap(({ dots }) => dots.flatMap(({ value, error = 0 }) => [value - error, value + error]))
    .filter(Number.isFinite);
  if (values.length === 0) return html`<p class="quiet">There is nothing to show.</p>`;
  const ticks = niceTicks(Math.min(...values), Math.max(...values), 6);
  const x = scale(ticks[0], ticks[ticks.length - 1], LEFT, WIDTH - RIGHT);
  const bottom = rows.length * ROW + 8;
  return html`<figure class="chart wide"><div class="scroll"><svg viewBox="0 0 ${WIDTH} ${bottom + 24}" role="img" aria-label="${title}">
${ticks.map((tick) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="4" y2="${bottom}"/><text class="tick" x="${x(tick)}" y="${bottom + 17}" text-anchor="middle">${format(tick)}</text>`)}
${rows.map((row, i) => drawRow(row, i * ROW + ROW / 2 + 6, x))}
</svg></div></figure>`;
}

function drawRow({ name, dots, mean, note }: DotRow, y: number, x: (value: number) => number): Html {
  const finite = dots
    .filter(({ value, error = 0 }) => Number.isFinite(value + error))
    .sort((left, right) => left.value - right.value);
  return html`<text x="0" y="${y + 4}">${name}</text>${note === undefined ? '' : html`<text class="tick" x="${WIDTH - RIGHT + 14}" y="${y + 4}">${note}</text>`}
${mean === undefined || !Number.isFinite(mean) ? '' : html`<line class="bar quiet" x1="${x(mean)}" x2="${x(mean)}" y1="${y - 13}" y2="${y + 13}"/>`}
${finite.map(
  (
    { value, label, tone, error = 0, text = '' },
    i,
  ) => html`<line class="bar ${tone}" x1="${x(value - error)}" x2="${x(value + error)}" y1="${y}" y2="${y}"/>
<circle class="mark ${tone}" cx="${x(value)}" cy="${y}" r="6"><title>${label}</title></circle><text class="tick" x="${x(value)}" y="${i % 2 === 0 ? y - 10 : y + 19}" text-anchor="middle">${text}</text>`,
)}`;
}
