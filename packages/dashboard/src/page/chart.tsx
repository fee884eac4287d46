import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import UPlot from 'uplot';
import { figure } from './format.ts';
import { colour, useDark, useWidth } from './theme.ts';

/** A line of a chart: its colour is one of the style sheet's, its dashes tell it from others without colours. */
export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly colour: string;
  readonly dash?: readonly number[];
}

/** A part of the axis. */
export type Range = readonly [from: number, to: number];

interface Props {
  readonly title: string;
  /** Ascending, as many as each line has values. */
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  readonly range: Range | null;
  readonly zoom: (range: Range | null) => void;
  readonly formatX: (value: number) => string;
}

const height = 210;

/** Lines over steps or seconds: dragged to zoom, double-clicked to see all. The legend has the figures under the pointer, else the last. */
export function Chart({ title, x, lines, range, zoom, formatX }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const width = useWidth(box);
  const isDark = useDark();
  const [at, setAt] = useState<number | null>(null);
  const data = useMemo((): UPlot.AlignedData => [[...x], ...lines.map(({ values }) => [...values])], [x, lines]);
  const shape = lines.map(({ name, colour, dash }) => `${name} ${colour} ${dash ?? ''}`).join('|');
  useEffect(() => {
    if (box.current === null || width === 0) return undefined;
    const made = new UPlot(optionsOf(lines, { width, formatX, zoom, setAt }), data, box.current);
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [width, isDark, shape, formatX]);
  useEffect(() => {
    const current = plot.current;
    if (current === null) return;
    current.setData(data, false);
    const [from, to] = range ?? [x[0] ?? 0, x[x.length - 1] ?? 1];
    current.setScale('x', { min: from, max: to > from ? to : from + 1 });
  }, [data, range, width, isDark, shape, formatX]);
  const last = (values: Line['values']): number | null => values.findLast((value) => value !== null) ?? null;
  const shown = (values: Line['values']): number | null => (at === null ? last(values) : (values[at] ?? null));
  const said = lines.map(({ name, values }) => `${name} ${text(last(values))}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <b>{title}</b> <span class="quiet">{at === null || x[at] === undefined ? 'last' : formatX(x[at])}</span>
        <span class="legend">
          {lines.map(({ name, values, colour, dash }) => (
            <span key={name} class="key">
              <svg width="22" height="6" aria-hidden="true">
                <line x1="0" x2="22" y1="3" y2="3" class={`stroke-${colour}`} stroke-dasharray={dash?.join(' ')} />
              </svg>
              {name} <b>{text(shown(values))}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={box} class="plot" role="img" aria-label={`${title}, ${x.length} points; last: ${said}`} />
      {x.length === 0 && <p class="quiet over">No step is finished yet.</p>}
    </figure>
  );
}

const text = (value: number | null): string => (value === null ? '–' : figure(value));

/** What a chart tells of. */
interface Told {
  readonly width: number;
  readonly formatX: (value: number) => string;
  readonly zoom: (range: Range | null) => void;
  readonly setAt: (index: number | null) => void;
}

function optionsOf(lines: readonly Line[], { width, formatX, zoom, setAt }: Told): UPlot.Options {
  const axis = {
    stroke: colour('soft'),
    font: '12px system-ui',
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    legend: { show: false },
    scales: { x: { time: false } },
    cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: 'curves' }, points: { size: 7 } },
    axes: [
      { ...axis, size: 30, values: (_, splits) => splits.map((split) => formatX(split).replace('step ', '')) },
      { ...axis, size: 46, values: (_, splits) => splits.map((split) => figure(split)) },
    ],
    series: [
      {},
      ...lines.map(({ name, colour: tone, dash }) => ({
        label: name,
        stroke: colour(tone),
        width: 2,
        spanGaps: true,
        points: { show: lines[0].values.length < 3 },
        ...(dash && { dash: [...dash] }),
      })),
    ],
    hooks: {
      setCursor: [({ cursor }) => setAt(cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width: selected } = plot.select;
          if (selected < 4) return;
          zoom([plot.posToVal(left, 'x'), plot.posToVal(left + selected, 'x')]);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      ready: [(plot) => plot.over.addEventListener('dblclick', () => zoom(null))],
    },
  };
}
