import type { SearchEvent } from '../../run/event.ts';
import type { Row } from './messages.ts';

/** Rows that a page is given at once: of a longer run, several steps make one. */
export const mostRows = 1500;

/** A controller step as the curves show it. */
export function rowOf(event: SearchEvent): Row {
  return {
    step: event.step,
    seconds: event.seconds,
    mean: event.reward_mean,
    best: event.reward_max,
    base: event.reward_base,
    baseline: event.baseline,
    entropy: event.entropy,
    loss: event.loss,
    memory: event.peak_memory_bytes,
    classes: classMeans(event.best_scores ?? {}),
  };
}

function classMeans(cases: NonNullable<SearchEvent['best_scores']>): Readonly<Record<string, number>> {
  const names = new Set(Object.values(cases).flatMap((scores) => Object.keys(scores)));
  const entries = [...names].flatMap((name) => {
    const mean = meanOf(Object.values(cases).map((scores) => scores[name] ?? null));
    return mean === null ? [] : [[name, mean] as const];
  });
  return Object.fromEntries(entries);
}

/** So many rows that a page draws and holds them with ease, each of them or several in a row taken together. */
export function thin(rows: readonly Row[], most: number): readonly Row[] {
  if (rows.length <= most) return rows;
  const size = Math.ceil(rows.length / most);
  const count = Math.ceil(rows.length / size);
  return Array.from({ length: count }, (_, at) => together(rows.slice(at * size, (at + 1) * size)));
}

/** Steps one after the other as one row: the best of their best, of all else the mean. */
function together(rows: readonly Row[]): Row {
  const { step, seconds } = rows[rows.length - 1];
  const mean = (of: (row: Row) => number | null): number | null => meanOf(rows.map(of));
  const names = new Set(rows.flatMap(({ classes }) => Object.keys(classes)));
  const best = rows.flatMap((row) => row.best ?? []);
  const classes = [...names].map((name) => [name, mean(({ classes }) => classes[name] ?? null) ?? 0] as const);
  return {
    step,
    seconds,
    mean: mean((row) => row.mean),
    best: best.length === 0 ? null : Math.max(...best),
    base: mean((row) => row.base),
    baseline: mean((row) => row.baseline),
    entropy: mean((row) => row.entropy),
    loss: mean((row) => row.loss) ?? 0,
    memory: Math.max(...rows.map((row) => row.memory)),
    classes: Object.fromEntries(classes),
  };
}

function meanOf(values: readonly (number | null)[]): number | null {
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (value === null) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? null : sum / count;
}
