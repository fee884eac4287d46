import { niceTicks, scale } from './curves.ts';
import { type Html, html } from './html.ts';

/** A point of a scatter plot; its label shows on hovering. */
export type ScatterPoint = { readonly x: number; readonly y: number; readonly label: string };

const WIDTH = 520;
const HEIGHT = 360;
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 16, 12, 48];

/** Points over two axes, as SVG in a figure. */
export function scatterPlot(
  points: readonly ScatterPoint[],
  xName: string,
  yName: string,
  format: (value: number) => string,
): Html {
  if (points.length === 0) return html`<p class="quiet">There is nothing to show.</p>`;
  const axis = (values: readonly number[], low: number, high: number) => {
    const ticks = niceTicks(Math.min(...values), Math.max(...values), 4);
    return { ticks, at: scale(ticks[0], ticks[ticks.length - 1], low, high) };
  };
  const across = axis(
    points.map(({ x }) => x),
    LEFT,
    WIDTH - RIGHT,
  );
  const up = axis(
    points.map(({ y }) => y),
    HEIGHT - BOTTOM,
    TOP,
  );
  return html`<figure class="chart plot"><figcaption>${yName}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${yName} over ${xName}">
${up.ticks.map((tick) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up.at(tick)}" y2="${up.at(tick)}"/><text class="tick" x="${LEFT - 7}" y="${up.at(tick) + 4}" text-anchor="end">${format(tick)}</text>`)}
${across.ticks.map((tick) => html`<text class="tick" x="${across.at(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${format(tick)}</text>`)}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${xName}</text>
${points.map(({ x, y, label }) => html`<circle class="mark accent" cx="${across.at(x)}" cy="${up.at(y)}" r="6"><title>${label}</title></circle>`)}
</svg></figure>`;
}
