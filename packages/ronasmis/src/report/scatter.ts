import { niceTicks, type Scale, scale } from './curves.ts';
import { type Html, html } from './html.ts';

/** A point of a scatter plot; its label shows on hovering, and a ring stands for several. */
export type ScatterPoint = {
  readonly x: number;
  readonly y: number;
  readonly label: string;
  readonly tone?: string;
  readonly isRing?: boolean;
};

/** What points are placed by along an axis. */
export type ScatterAxis = {
  readonly name: string;
  readonly format: (value: number) => string;
  /** Round values that a logarithmic axis may have ticks at, ascending; a linear one chooses its own. */
  readonly logarithmicTicks?: readonly number[];
};

const WIDTH = 520;
const HEIGHT = 360;
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 16, 12, 48];

/** Points over two axes, as SVG in a figure. */
export function scatterPlot(points: readonly ScatterPoint[], x: ScatterAxis, y: ScatterAxis): Html {
  if (points.length === 0) return html`<p class="quiet">There is nothing to show.</p>`;
  const across = placed(
    x,
    points.map((point) => point.x),
    [LEFT, WIDTH - RIGHT],
  );
  const up = placed(
    y,
    points.map((point) => point.y),
    [HEIGHT - BOTTOM, TOP],
  );
  return html`<figure class="chart plot"><figcaption>${y.name}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${y.name} over ${x.name}">
${up.ticks.map((tick) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up.at(tick)}" y2="${up.at(tick)}"/><text class="tick" x="${LEFT - 7}" y="${up.at(tick) + 4}" text-anchor="end">${y.format(tick)}</text>`)}
${across.ticks.map((tick) => html`<text class="tick" x="${across.at(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${x.format(tick)}</text>`)}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${x.name}</text>
${points.map((point) => html`<circle class="${point.isRing ? 'ring' : 'mark'} ${point.tone ?? 'accent'}" cx="${across.at(point.x)}" cy="${up.at(point.y)}" r="${point.isRing ? 11 : 6}"><title>${point.label}</title></circle>`)}
</svg></figure>`;
}

/** Where ticks and values are on an axis from one pixel to another. */
function placed(
  { logarithmicTicks }: ScatterAxis,
  values: readonly number[],
  [from, to]: readonly [number, number],
): { readonly ticks: readonly number[]; readonly at: Scale } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (logarithmicTicks === undefined) {
    const ticks = niceTicks(low, high, 4);
    return { ticks, at: scale(ticks[0], ticks[ticks.length - 1], from, to) };
  }
  const first = logarithmicTicks.findLastIndex((tick) => tick < low);
  const last = logarithmicTicks.findIndex((tick) => tick > high);
  const ticks = logarithmicTicks.slice(Math.max(0, first), last < 0 ? undefined : last + 1);
  const linear = scale(Math.log(Math.min(low, ticks[0])), Math.log(Math.max(high, ticks[ticks.length - 1])), from, to);
  // Labels next to each other need room.
  const every = Math.ceil(ticks.length / 6);
  return { ticks: ticks.filter((_, i) => i % every === 0), at: (value) => linear(Math.log(value)) };
}
