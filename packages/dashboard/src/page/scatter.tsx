import { useMemo, useState } from 'preact/hooks';
import type { ChildFigures, ScatterPoints } from '../shared/messages.ts';
import { isSame } from './children.tsx';
import { bytes, duration, percent } from './format.ts';

const [width, height] = [520, 360];
const [left, right, top, bottom] = [52, 16, 14, 46];

type Against = 'memory' | 'seconds' | 'step';

interface Props {
  readonly points: ScatterPoints | null;
  readonly chosen: ChildFigures | null;
  readonly choose: (child: ChildFigures) => void;
}

const axes: Readonly<Record<Against, { readonly title: string; readonly format: (value: number) => string }>> = {
  memory: { title: 'memory that a child alone takes', format: bytes },
  seconds: { title: 'time of its evaluation', format: duration },
  step: { title: 'controller step', format: (step) => step.toFixed(0) },
};

/** Dice against what it costs: a point is a child, the line joins those that none is better and cheaper than (the Pareto front). */
export function Scatter({ points, chosen, choose }: Props) {
  const children = points?.children ?? [];
  const isKnown = (what: Against): boolean => children.some((child) => child[what] !== null);
  const [wanted, setWanted] = useState<Against>('memory');
  const against = isKnown(wanted) ? wanted : 'step';
  const drawn = useMemo(() => placed(children, against), [points, against]);
  return (
    <figure class="scatter">
      <figcaption class="headline">
        <b>Dice, %, against</b>
        <select
          aria-label="What Dice is drawn against"
          value={against}
          onChange={({ currentTarget: { value } }) =>
            setWanted(value === 'memory' || value === 'seconds' ? value : 'step')
          }
        >
          {isKnown('memory') && <option value="memory">memory</option>}
          {isKnown('seconds') && <option value="seconds">time</option>}
          <option value="step">step</option>
        </select>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Dice of ${children.length} children against the ${axes[against].title}; the table beside it has them all`}
      >
        {drawn.rewards.map(({ at, text }) => (
          <g key={text}>
            <line class="grid" x1={left} x2={width - right} y1={at} y2={at} />
            <text class="tick" x={left - 7} y={at + 4} text-anchor="end">
              {text}
            </text>
          </g>
        ))}
        {drawn.costs.map(({ at, text }) => (
          <text key={text} class="tick" x={at} y={height - bottom + 18} text-anchor="middle">
            {text}
          </text>
        ))}
        <text class="label" x={(left + width - right) / 2} y={height - 6} text-anchor="middle">
          {axes[against].title}
        </text>
        {against !== 'step' && <path class="front" d={drawn.front} />}
        {drawn.points.map(({ child, x, y, isFront }) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the table beside it does the same for the keyboard.
          <circle
            key={`${child.step}-${child.index}`}
            class={`mark ${isFront ? 'of-front' : ''} ${isSame(child, chosen) ? 'chosen' : ''}`}
            cx={x}
            cy={y}
            r={isSame(child, chosen) ? 8 : isFront ? 5.5 : 4}
            onClick={() => choose(child)}
          >
            <title>{`Child ${child.index + 1} of step ${child.step}: ${percent(child.reward)} %`}</title>
          </circle>
        ))}
      </svg>
      <p class="quiet">
        {points !== null && points.total > children.length
          ? `${children.length.toLocaleString('en')} of ${points.total.toLocaleString('en')} children, all of the best among them.`
          : ' '}
      </p>
    </figure>
  );
}

interface Tick {
  readonly at: number;
  readonly text: string;
}

function placed(children: readonly ChildFigures[], against: Against) {
  const known = children.flatMap((child) => {
    const cost = child[against];
    return cost === null ? [] : [{ child, cost }];
  });
  const x = scaleOf(
    known.map(({ cost }) => cost),
    [left, width - right],
  );
  const y = scaleOf(
    known.map(({ child }) => child.reward),
    [height - bottom, top],
  );
  const front = against === 'step' ? new Set<ChildFigures>() : paretoFront(known);
  const points = known
    .map(({ child, cost }) => ({ child, x: x.at(cost), y: y.at(child.reward), isFront: front.has(child) }))
    // The front and what was chosen lie above the others.
    .sort((one, other) => Number(one.isFront) - Number(other.isFront));
  const steps = points.filter(({ isFront }) => isFront).sort((one, other) => one.x - other.x);
  return {
    points,
    front: steps.map((point, i) => (i === 0 ? `M${point.x} ${point.y}` : `H${point.x}V${point.y}`)).join(''),
    rewards: y.ticks.map((value): Tick => ({ at: y.at(value), text: percent(value, 1) })),
    costs: x.ticks.map((value): Tick => ({ at: x.at(value), text: axes[against].format(value) })),
  };
}

/** Children of which no other has a higher Dice at no higher cost. */
function paretoFront(
  known: readonly { readonly child: ChildFigures; readonly cost: number }[],
): ReadonlySet<ChildFigures> {
  const front = new Set<ChildFigures>();
  let best = Number.NEGATIVE_INFINITY;
  for (const { child } of known.toSorted(
    (one, other) => one.cost - other.cost || other.child.reward - one.child.reward,
  )) {
    if (child.reward <= best) continue;
    best = child.reward;
    front.add(child);
  }
  return front;
}

function scaleOf(values: readonly number[], [from, to]: readonly [number, number]) {
  const [low, high] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
  const range = high > low ? high - low : Math.max(Math.abs(high), 1e-3);
  const [first, last] = [low - 0.04 * range, high + 0.04 * range];
  const at = (value: number): number => Math.round(10 * (from + ((value - first) / (last - first)) * (to - from))) / 10;
  const ticks = Array.from({ length: 4 }, (_, i) => low + (range * i) / 3).filter((tick) => tick <= last);
  return { at, ticks: high > low ? ticks : [low] };
}
