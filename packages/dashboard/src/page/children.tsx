import { useState } from 'preact/hooks';
import type { ChildFigures, ChildrenPage, ChildSort, ScatterPoints } from '../shared/messages.ts';
import { bytes, duration, percent } from './format.ts';
import { Scatter } from './scatter.tsx';
import { Scroll } from './scroll.tsx';
import { useJson } from './use-json.ts';

interface Props {
  /** Of the run; null before it has begun. */
  readonly address: string | null;
  readonly version: number;
  readonly chosen: ChildFigures | null;
  readonly choose: (child: ChildFigures) => void;
}

const pageSize = 12;
const columns: readonly { readonly sort: ChildSort; readonly title: string }[] = [
  { sort: 'reward', title: 'Dice, %' },
  { sort: 'step', title: 'step' },
  { sort: 'memory', title: 'memory' },
  { sort: 'seconds', title: 'evaluation' },
];

/** All children that were evaluated: as points, and as a table. */
export function Children({ address, version, chosen, choose }: Props) {
  const [sort, setSort] = useState<ChildSort>('reward');
  const [ascending, setAscending] = useState(false);
  const [offset, setOffset] = useState(0);
  const query = `sort=${sort}&ascending=${ascending}&offset=${offset}&limit=${pageSize}`;
  const { value: page } = useJson<ChildrenPage>(address && `${address}children?${query}`, version);
  const { value: points } = useJson<ScatterPoints>(address && `${address}scatter`, version);
  const total = page?.total ?? 0;
  const order = (by: ChildSort): void => {
    setAscending(by === sort ? !ascending : by !== 'reward');
    setSort(by);
    setOffset(0);
  };
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
            <button type="button" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - pageSize))}>
              Before
            </button>
            <span>
              {total === 0
                ? 'none yet'
                : `${offset + 1} to ${Math.min(total, offset + pageSize)} of ${total.toLocaleString('en')}`}
            </span>
            <button type="button" disabled={offset + pageSize >= total} onClick={() => setOffset(offset + pageSize)}>
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
