import { percent } from '../page/format.ts';
import type { CaseDice, ReportTold } from '../shared/messages.ts';

interface Props {
  readonly tested: NonNullable<ReportTold['tested']>;
  readonly cases: readonly CaseDice[];
}

/** A dot with the case that it stands for. */
interface Dot {
  readonly name: string;
  readonly dice: number;
}

/** Every test case as a dot: a row for the mean over the classes, and one for each of several. */
export function DiceDots({ tested: { dice, classes }, cases }: Props) {
  const dotsOf = (of: (one: CaseDice) => number | null | undefined): readonly Dot[] =>
    cases.flatMap((one) => {
      const value = of(one);
      return value === null || value === undefined ? [] : [{ name: one.name, dice: value }];
    });
  const low = axisStart(cases);
  const rows = classes.map(({ key, name, dice: mean }, at) => ({
    name,
    mean,
    tone: `class${at % 6}`,
    dots: dotsOf((one) => one.classes[key]),
  }));
  const overall =
    rows.length > 1 && dice !== null
      ? [{ name: 'Mean of classes', mean: dice, tone: 'overall', dots: dotsOf(({ mean }) => mean) }]
      : [];
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => low + part * (1 - low));
  return (
    <section aria-labelledby="dots">
      <h2 id="dots">Dice of every test case</h2>
      <p class="lead">In percent; a dot is a case, the line is the mean. Point at a dot for its name.</p>
      <div class="dots">
        {[...overall, ...rows].map((row) => (
          <Row key={row.name} {...row} low={low} />
        ))}
        <div class="axis" aria-hidden="true">
          {ticks.map((tick) => (
            <span key={tick} style={{ left: `${place(tick, low)}%` }}>
              {Math.round(100 * tick)}
            </span>
          ))}
        </div>
      </div>
    </section>
  );
}

interface RowProps {
  readonly name: string;
  readonly mean: number;
  readonly tone: string;
  readonly dots: readonly Dot[];
  readonly low: number;
}

function Row({ name, mean, tone, dots, low }: RowProps) {
  const placed = dots.map((dot) => ({ ...dot, left: place(dot.dice, low) })).sort((a, b) => a.left - b.left);
  const lanes = lanesOf(placed.map(({ left }) => left));
  return (
    <div class={`row ${tone}`}>
      <div class="of">
        <b>{name}</b>
        <em>{percent(mean)} %</em>
      </div>
      <div class="strip" role="img" aria-label={`${name}: ${dots.length} cases, mean ${percent(mean)} %`}>
        <i class="middle" style={{ left: `${place(mean, low)}%` }} />
        {placed.map(({ name: of, dice, left }, at) => (
          <i
            key={of}
            class="dot"
            style={{ left: `${left}%`, top: `calc(50% + ${8 * lanes[at]}px)` }}
            data-label={`${of} · ${percent(dice)} %`}
          />
        ))}
      </div>
    </div>
  );
}

/** Percent of the width. */
const place = (dice: number, low: number): number => Math.round((1000 * (dice - low)) / (1 - low)) / 10;

/** The lowest Dice, rounded down to a fifth, so that good results spread over the width. */
function axisStart(cases: readonly CaseDice[]): number {
  const values = cases.flatMap(({ classes }) => Object.values(classes).filter((value) => value !== null));
  return Math.floor(Math.min(0.8, ...values) * 5) / 5;
}

/** Dots nearer than this, in percent of the width, are put below each other. */
const crowded = 1.1;
const lanes = [0, -1, 1, -2, 2, -3, 3];

/** A lane for each of the ascending places, such that neighbours don't cover each other where lanes suffice. */
function lanesOf(places: readonly number[]): readonly number[] {
  const lastIn = new Map<number, number>();
  return places.map((left, at) => {
    const free = lanes.find((lane) => left - (lastIn.get(lane) ?? -100) >= crowded) ?? lanes[at % lanes.length];
    lastIn.set(free, left);
    return free;
  });
}
