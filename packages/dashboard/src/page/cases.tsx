import type { CaseDice, CaseTable } from '../shared/messages.ts';
import { percent } from './format.ts';
import { Scroll } from './scroll.tsx';

interface Props {
  readonly tables: readonly CaseTable[];
  readonly classNames: Readonly<Record<string, string>>;
  /** Looks at a case; left out where there is nothing to be looked at. */
  readonly open?: (name: string) => void;
  readonly opened: string | null;
}

/** Dice by case and class, the worst first. */
export function Cases({ tables, classNames, open, opened }: Props) {
  return (
    <section aria-labelledby="cases" class="cases">
      <h2 id="cases">Cases</h2>
      <p class="lead">
        {tables.length === 0
          ? 'Dice of each case, the worst first, as soon as the run folder says it.'
          : 'Dice in percent, the worst first.'}
      </p>
      {tables.map((table) => (
        <CaseRows key={table.title} table={table} classNames={classNames} opened={opened} {...(open && { open })} />
      ))}
    </section>
  );
}

function CaseRows({
  table: { title, cases },
  classNames,
  open,
  opened,
}: Omit<Props, 'tables'> & { readonly table: CaseTable }) {
  const classes = [...new Set(cases.flatMap((one) => Object.keys(one.classes)))];
  return (
    <Scroll name={title} isLong>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">case</th>
            <th scope="col">mean</th>
            {classes.length > 1 &&
              classes.map((name) => (
                <th key={name} scope="col">
                  {classNames[name] ?? name}
                </th>
              ))}
            {open && <th scope="col">volume</th>}
          </tr>
        </thead>
        <tbody>
          {cases.map((one) => (
            <CaseRow
              key={one.name}
              one={one}
              classes={classes.length > 1 ? classes : []}
              isOpened={one.name === opened}
              {...(open && { open })}
            />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

interface RowProps {
  readonly one: CaseDice;
  readonly classes: readonly string[];
  readonly open?: (name: string) => void;
  readonly isOpened: boolean;
}

function CaseRow({ one: { name, mean, classes: scores }, classes, open, isOpened }: RowProps) {
  return (
    <tr class={isOpened ? 'chosen' : ''}>
      <th scope="row">{name}</th>
      <DiceCell value={mean} name={`${name}, mean`} />
      {classes.map((key) => (
        <DiceCell key={key} value={scores[key] ?? null} name={`${name}, ${key}`} />
      ))}
      {open && (
        <td>
          <button type="button" aria-pressed={isOpened} aria-label={`Look at case ${name}`} onClick={() => open(name)}>
            look
          </button>
        </td>
      )}
    </tr>
  );
}

function DiceCell({ value, name }: { readonly value: number | null; readonly name: string }) {
  return (
    <td>
      <span class="track">
        <progress max={1} value={value ?? 0} aria-label={`Dice of ${name}: ${percent(value)} %`} />
      </span>
      <span class="number">{percent(value)}</span>
    </td>
  );
}
