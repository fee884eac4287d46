import { table } from 'ronasmis/internal';

/** What a ratio should reach: "theirs / ours" is to be at least a number, "ours / theirs" at most one. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** One line of the result, as `--json` prints it. Seconds are medians; `null` where a figure is no time. */
export interface Row {
  readonly name: string;
  readonly against: string;
  readonly ours_seconds: number | null;
  readonly theirs_seconds: number | null;
  readonly ratio: number;
  readonly goal: string;
  readonly reached: boolean;
}

export interface Seconds {
  readonly ours: number;
  readonly theirs: number;
}

/** A row about two times: their ratio is the one that the goal is about. */
export function timeRow(name: string, against: string, { ours, theirs }: Seconds, goal: Goal): Row {
  const ratio = 'atLeast' in goal ? theirs / ours : ours / theirs;
  return { ...ratioRow(name, against, ratio, goal), ours_seconds: ours, theirs_seconds: theirs };
}

/** A row about a number that is no ratio of two times, such as an exponent. */
export function ratioRow(name: string, against: string, ratio: number, goal: Goal): Row {
  return {
    name,
    against,
    ours_seconds: null,
    theirs_seconds: null,
    ratio,
    goal: 'atLeast' in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`,
    reached: 'atLeast' in goal ? ratio >= goal.atLeast : ratio <= goal.atMost,
  };
}

/** The rows for people, and under them what the columns mean. */
export function rowTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.against,
    seconds(row.ours_seconds),
    seconds(row.theirs_seconds),
    row.ratio.toPrecision(3),
    row.goal,
    row.reached ? 'yes' : 'NO',
  ]);
  const legend =
    'Medians of rounds in which both take turns. The ratio is theirs / ours where the goal is >=, ours / theirs where it is <=.\n' +
    'Of exponents and shares the ratio is the number itself.';
  return `${table(['what', 'against', 'ours', 'theirs', 'ratio', 'goal', 'reached'], cells)}\n\n${legend}`;
}

/** A time in the unit that leaves three digits: `1.23 s`, `45.6 ms`, `789 µs`, `987 ns`. */
export function seconds(value: number | null): string {
  if (value === null) return '-';
  const units: readonly (readonly [number, string])[] = [
    [1, 's'],
    [1e-3, 'ms'],
    [1e-6, 'µs'],
  ];
  const [size, unit] = units.find(([size]) => value >= size) ?? [1e-9, 'ns'];
  const scaled = value / size;
  return `${scaled >= 100 ? scaled.toFixed(0) : scaled.toPrecision(3)} ${unit}`;
}
