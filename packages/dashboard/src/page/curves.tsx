import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Row } from '../shared/messages.ts';
import { Chart, type Line, type Range } from './chart.tsx';
import { duration } from './format.ts';
import { fetchJson } from './use-json.ts';
import type { Run } from './use-run.ts';

const tones = ['l0', 'l4', 'l1', 'l3', 'l5', 'l2', 'l6', 'l8', 'l7'] as const;
const dashes: readonly (readonly number[] | undefined)[] = [undefined, [8, 4], [2, 4], [10, 4, 2, 4], [5, 5]];

type Along = 'step' | 'seconds';

interface Props {
  readonly run: Pick<Run, 'state' | 'rows' | 'thinned'>;
  /** Where the steps of a part are asked for; null where what is known is all that there will be: then charts without a value are left out. */
  readonly address: string | null;
  /** On the steps. */
  readonly note?: string;
}

/** The curves of a run, which are zoomed together. */
export function Curves({ run, address, note }: Props) {
  const [along, setAlong] = useState<Along>('step');
  const [range, setRange] = useState<Range | null>(null);
  const detail = useDetail(run, address, along === 'step' ? range : null);
  const rows = detail ?? run.rows;
  const x = useMemo(() => rows.map((row) => row[along]), [rows, along]);
  const formatX = useCallback((value: number) => (along === 'step' ? stepText(value) : duration(value)), [along]);
  const charts = useMemo(() => {
    const all = chartsOf(rows, run.state?.run?.classNames ?? {});
    return address === null ? all.filter(({ lines }) => lines.some(hasAny)) : all;
  }, [rows, run.state?.run?.created, address]);
  const whole: Range = [run.rows[0]?.[along] ?? 0, run.rows.at(-1)?.[along] ?? 1];
  return (
    <section aria-labelledby="curves">
      <div class="headline">
        <h2 id="curves">Curves</h2>
        <div class="tools">
          <label>
            along{' '}
            <select
              value={along}
              onChange={({ currentTarget }) => {
                setRange(null);
                setAlong(currentTarget.value === 'seconds' ? 'seconds' : 'step');
              }}
            >
              <option value="step">steps</option>
              <option value="seconds">time</option>
            </select>
          </label>
          <Zoom range={range} whole={whole} zoom={setRange} />
        </div>
      </div>
      <p class="lead">
        {note !== undefined && `${note} `}
        <span class="how">Drag across a chart to zoom, double-click to see all.</span>
        {run.thinned && detail === null && ' Of this many steps, several make one point'}
        {run.thinned && detail === null && (address === null ? '.' : '; zoomed, each has its own.')}
      </p>
      <div class="charts">
        {charts.map(({ title, lines }) => (
          <Chart key={title} title={title} x={x} lines={lines} range={range} zoom={setRange} formatX={formatX} />
        ))}
      </div>
    </section>
  );
}

/** Between two steps there is nothing to be named. */
const stepText = (value: number): string => (Number.isInteger(value) ? `step ${value}` : '');

/** Zooming by buttons, for who has no mouse. */
function Zoom({
  range,
  whole,
  zoom,
}: {
  readonly range: Range | null;
  readonly whole: Range;
  readonly zoom: (range: Range | null) => void;
}) {
  const [from, to] = range ?? whole;
  const width = to - from;
  const within = (start: number, size: number): void => {
    const first = Math.max(whole[0], Math.min(start, whole[1] - size));
    zoom(size >= whole[1] - whole[0] ? null : [first, first + size]);
  };
  return (
    <fieldset class="buttons" aria-label="Zoom of the curves">
      <button type="button" aria-label="Zoom in" onClick={() => within(from + width / 4, width / 2)}>
        +
      </button>
      <button
        type="button"
        aria-label="Zoom out"
        disabled={range === null}
        onClick={() => within(from - width / 2, 2 * width)}
      >
        −
      </button>
      <button
        type="button"
        aria-label="Earlier"
        disabled={range === null}
        onClick={() => within(from - width / 2, width)}
      >
        ←
      </button>
      <button
        type="button"
        aria-label="Later"
        disabled={range === null}
        onClick={() => within(from + width / 2, width)}
      >
        →
      </button>
      <button type="button" disabled={range === null} onClick={() => zoom(null)}>
        All
      </button>
    </fieldset>
  );
}

/** Of a long run, the rows of the part that is zoomed into: those of all of it are several steps each. */
function useDetail(
  { thinned, rows }: Props['run'],
  address: Props['address'],
  range: Range | null,
): readonly Row[] | null {
  const [detail, setDetail] = useState<readonly Row[] | null>(null);
  useEffect(() => {
    setDetail(null);
    if (!thinned || range === null || address === null) return undefined;
    const abort = new AbortController();
    const [from, to] = [Math.floor(range[0]), Math.ceil(range[1])];
    fetchJson<readonly Row[]>(`${address}/rows?from=${from}&to=${to}`, { signal: abort.signal }).then(
      setDetail,
      () => {},
    );
    return () => abort.abort();
  }, [thinned, range, address, thinned ? 0 : rows]);
  return detail;
}

interface ChartContent {
  readonly title: string;
  readonly lines: readonly Line[];
}

function chartsOf(rows: readonly Row[], classNames: Readonly<Record<string, string>>): readonly ChartContent[] {
  const percents = (of: (row: Row) => number | null): readonly (number | null)[] =>
    rows.map((row) => {
      const value = of(row);
      return value === null ? null : 100 * value;
    });
  const reward: readonly Line[] = [
    { name: 'best', values: percents(({ best }) => best), colour: 'l4' },
    { name: 'mean', values: percents(({ mean }) => mean), colour: 'l0', dash: [8, 4] },
    { name: 'baseline', values: percents(({ baseline }) => baseline), colour: 'l7', dash: [2, 4] },
    { name: 'base network', values: percents(({ base }) => base), colour: 'l2', dash: [10, 4, 2, 4] },
  ];
  const named = Object.keys(rows.findLast(({ classes }) => Object.keys(classes).length > 0)?.classes ?? {});
  const classes = named.map((name, at) => ({
    name: classNames[name] ?? name,
    values: percents((row) => row.classes[name] ?? null),
    colour: tones[at % tones.length],
    ...dashOf(at),
  }));
  return [
    { title: 'Reward: validation Dice, %', lines: reward.filter((line, at) => at < 2 || hasAny(line)) },
    { title: 'Entropy, nats', lines: [{ name: 'entropy', values: rows.map(({ entropy }) => entropy), colour: 'l0' }] },
    { title: 'Training loss', lines: [{ name: 'loss', values: rows.map(({ loss }) => loss), colour: 'l1' }] },
    {
      title: 'Dice by class, best child, %',
      lines:
        classes.length > 0 ? classes : [{ name: 'not in this run folder', values: rows.map(() => null), colour: 'l7' }],
    },
  ];
}

const hasAny = ({ values }: Line): boolean => values.some((value) => value !== null);

function dashOf(at: number): { readonly dash?: readonly number[] } {
  const dash = dashes[at % dashes.length];
  return dash === undefined ? {} : { dash };
}
