import type { SearchEvent } from '../../run/event.ts';
import { choicesInWords } from '../../space/words.ts';
import type { ChoiceHistory } from './messages.ts';

/** By choice, then by option: how likely it was at a step. */
type Distribution = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Steps one after the other: the sums of what each option had. */
interface Column {
  readonly from: number;
  to: number;
  steps: number;
  readonly sums: Map<string, Map<string, number>>;
}

/** Most columns that a heat map has. */
const mostColumns = 240;

/** What a controller chose over time, in so little memory that a search may be of any length. */
export interface ChoiceRecorder {
  readonly add: (event: SearchEvent) => void;
  readonly read: () => ChoiceHistory;
}

/** Takes note of the policy at every step, or of what was proposed where a run folder does not say it. */
export function createChoiceRecorder(): ChoiceRecorder {
  let columns: Column[] = [];
  let stepsPerColumn = 1;
  let source: ChoiceHistory['source'] = 'children';
  return {
    add: (event) => {
      const found = event.policy ? policyOf(event.policy) : proposed(event.children);
      if (found.size === 0) return;
      if (event.policy) source = 'policy';
      const last = columns.at(-1);
      if (last !== undefined && last.steps < stepsPerColumn) addTo(last, event.step, found, 1);
      else columns.push(addTo({ from: event.step, to: event.step, steps: 0, sums: new Map() }, event.step, found, 1));
      if (columns.length <= mostColumns) return;
      columns = pairs(columns);
      stepsPerColumn *= 2;
    },
    read: () => ({ source, columns: columns.map(({ from, to }) => ({ from, to })), choices: choicesOf(columns) }),
  };
}

function policyOf(policy: NonNullable<SearchEvent['policy']>): Distribution {
  return new Map(policy.map(({ choice, probabilities }) => [choice, new Map(Object.entries(probabilities))]));
}

/** Of each choice, the share of the children with each option. */
function proposed(children: SearchEvent['children']): Distribution {
  const shares = new Map<string, Map<string, number>>();
  for (const { architecture } of children) {
    if (architecture.kind !== undefined) continue;
    for (const [choice, option] of choicesInWords(architecture)) {
      const options = shares.get(choice) ?? new Map<string, number>();
      shares.set(choice, options.set(option, (options.get(option) ?? 0) + 1 / children.length));
    }
  }
  return shares;
}

function addTo(column: Column, to: number, values: Distribution, steps: number): Column {
  column.to = to;
  column.steps += steps;
  for (const [choice, options] of values) {
    const sums = column.sums.get(choice) ?? new Map<string, number>();
    column.sums.set(choice, sums);
    for (const [option, value] of options) sums.set(option, (sums.get(option) ?? 0) + value);
  }
  return column;
}

function pairs(columns: readonly Column[]): Column[] {
  return columns.flatMap((column, at) => {
    if (at % 2 === 1) return [];
    const next = columns.at(at + 1);
    return [next === undefined ? column : addTo(column, next.to, next.sums, next.steps)];
  });
}

function choicesOf(columns: readonly Column[]): ChoiceHistory['choices'] {
  const options = new Map<string, Set<string>>();
  for (const { sums } of columns) {
    for (const [choice, names] of sums) {
      const known = options.get(choice) ?? new Set<string>();
      options.set(choice, known);
      for (const name of names.keys()) known.add(name);
    }
  }
  const inOrder = (names: Set<string>) =>
    [...names].sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
  return (
    [...options]
      // A choice with one option left is none.
      .filter(([, names]) => names.size > 1)
      .map(([title, names]) => ({
        title,
        options: inOrder(names).map((name) => ({
          name,
          values: columns.map((column) => shareOf(column, title, name)),
        })),
      }))
  );
}

function shareOf({ sums, steps }: Column, choice: string, option: string): number | null {
  const options = sums.get(choice);
  return options === undefined ? null : Math.round(1000 * ((options.get(option) ?? 0) / steps)) / 1000;
}
