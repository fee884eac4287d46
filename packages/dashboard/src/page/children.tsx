import { useState } from 'preact/hooks';
import type { PageQuery } from '../shared/children-page.ts';
import type { ChildFigures, ChildrenPage, ChildSort, ScatterPoints } from '../shared/messages.ts';
import { bytes, duration, percent } from './format.ts';
import { Scatter } from './scatter.tsx';
import { Scroll } from './scroll.tsx';
import { useJson } from './use-json.ts';

interface Choosing {
  readonly chosen: ChildFigures | null;
  readonly choose: (child: ChildFigures) => void;
}

interface Props extends Choosing {
  /** Of the run; null before it has begun. */
  readonly address: string | null;
  readonly version: number;
}

const pageSize = 12;
/** The best children, which are shown first. */
export const firstQuery: PageQuery = { sort: 'reward', ascending: false, offset: 0, limit: pageSize };
const columns: readonly { readonly sort: ChildSort; readonly title: string }[] = [
  { sort: 'reward', title: 'Dice, %' },
  { sort: 'step', title: 'step' },
  { sort: 'memory', title: 'memory' },
  { sort: 'seconds', title: 'evaluation' },
];

/** All children that were evaluated, as the server tells of them. */
export function Children({ address, version, chosen, choose }: Props) {
  const [query, ask] = useState(firstQuery);
  const { sort, ascending, offset, limit } = query;
  const words = `sort=${sort}&ascending=${ascending}&offset=${offset}&limit=${limit}`;
  const { value: page } = useJson<ChildrenPage>(address && `${address}children?${words}`, version);
  const { value: points } = useJson<ScatterPoints>(address && `${address}scatter`, version);
  return <ChildrenView page={page} points={points} query={query} ask={ask} chosen={chosen} choose={choose} />;
}

interface ViewProps extends Choosing {
  readonly page: ChildrenPage | null;
  readonly points: ScatterPoints | null;
  /** What the page was asked for by. */
  readonly query: PageQuery;
  readonly ask: (query: PageQuery) => void;
}

/** Children as points, and as a table. */
export function ChildrenView({ page, points, query, ask, chosen, choose }: ViewProps) {
  const { sort, ascending, offset } = query;
  const total = page?.total ?? 0;
  const order = (by: ChildSort): void =>
    ask({ ...query, sort: by, ascending: by === sort ? !ascending : by !== 'reward', offset: 0 });
  const turn = (by: number): void => ask({ ...query, offset: Math.max(0, offset + by) });
  return (
    <section aria-labelledby="children">
      <h2 id="children">Children</h2>
      <p class="lead">
        Every network that was evaluated, with the weights that all share. Choose one to see its architecture.
      </p>
      <div class="two">
        <Scatter points={points} chosen={chosen} choose={choose} />
        <div>
          <Scroll name="Table of the children">
            <table class="children">
              <thead>
                <tr>
                  {columns.map(({ sort: by, title }) => (
                    <th key={by} scope="col" aria-sort={by !== sort ? 'none' : ascending ? 'ascending' : 'descending'}>
                      <button type="button" onClick={() => order(by)}>
                        {title}
                        <span aria-hidden="true">{by !== sort ? '' : ascending ? ' ↑' : ' ↓'}</span>
                      </button>
                    </th>
                  ))}
                  <th scope="col">child</th>
                </tr>
              </thead>
              <tbody>
                {(page?.children ?? []).map((child) => (
                  <ChildRow
                    key={`${child.step}-${child.index}`}
                    child={child}
                    isChosen={isSame(child, chosen)}
                    choose={choose}
                  />
                ))}
              </tbody>
            </table>
          </Scroll>
          <div class="pager">
            <button type="button" disabled={offset === 0} onClick={() => turn(-pageSize)}>
              Before
            </button>
            <span>
              {total === 0
                ? 'none yet'
                : `${offset + 1} to ${Math.min(total, offset + pageSize)} of ${total.toLocaleString('en')}`}
            </span>
            <button type="button" disabled={offset + pageSize >= total} onClick={() => turn(pageSize)}>
              Next
            </button>
          </div>
        </div>
      </div>
    </section>
  );
}

export const isSame = (one: ChildFigures, other: ChildFigures | null): boolean =>
  other !== null && one.step === other.step && one.index === other.index;

interface RowProps {
  readonly child: ChildFigures;
  readonly isChosen: boolean;
  readonly choose: (child: ChildFigures) => void;
}

function ChildRow({ child, isChosen, choose }: RowProps) {
  const { step, index, reward, memory, seconds, coarse } = child;
  return (
    <tr class={isChosen ? 'chosen' : ''}>
      <td class="number">
        {percent(reward)}
        {coarse ? <abbr title="at half the resolution"> ½</abbr> : null}
      </td>
      <td class="number">{step}</td>
      <td class="number">{memory === null ? '–' : bytes(memory)}</td>
      <td class="number">{seconds === null ? '–' : duration(seconds)}</td>
      <td>
        <button
          type="button"
          aria-pressed={isChosen}
          aria-label={`Draw child ${index + 1} of step ${step}`}
          onClick={() => choose(child)}
        >
          draw
        </button>
      </td>
    </tr>
  );
}
