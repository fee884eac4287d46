import { useMemo, useState } from 'preact/hooks';
import type { ListedFolder, ListedRun, ResultTable } from '../shared/messages.ts';
import { Chart, type Line, type Range } from './chart.tsx';
import { baseName, duration, percent, plural } from './format.ts';
import { Scroll } from './scroll.tsx';

const kinds = { run: 'run', study: 'study', compare: 'comparison', headroom: 'study of the headroom' } as const;
const tones = ['l0', 'l4', 'l1', 'l3', 'l5', 'l2', 'l6', 'l8', 'l7'] as const;
const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 4], [10, 4, 2, 4]];
/** Lines that can still be told apart. */
const mostLines = 12;

/** All folders that the page was started for, with their runs beside each other. */
export function Overview({ folders }: { readonly folders: readonly ListedFolder[] }) {
  const alone = folders.filter(({ kind }) => kind === 'run');
  const series = folders.filter(({ kind }) => kind !== 'run');
  return (
    <>
      <h1>Runs</h1>
      {alone.length > 0 && <Runs title="Runs" note="" runs={alone.flatMap(({ runs }) => runs)} />}
      {series.map(({ id, name, kind, runs, results, problem }) => (
        <Runs
          key={id}
          title={baseName(name)}
          note={`A ${kinds[kind]} of ${plural(runs.length, 'run')} so far.`}
          runs={runs}
          results={results}
          problem={problem}
        />
      ))}
    </>
  );
}

interface Props {
  readonly title: string;
  readonly note: string;
  readonly runs: readonly ListedRun[];
  readonly results?: ResultTable | null;
  readonly problem?: string | null;
}

function Runs({ title, note, runs, results = null, problem = null }: Props) {
  const curved = runs.filter(({ curve }) => curve.length > 1);
  const shown = curved.slice(0, mostLines);
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <p class="lead">
        {note}
        {curved.length > shown.length ? ` The chart has the first ${mostLines}.` : ''}
      </p>
      {problem !== null && <p class="problem">{problem}</p>}
      {results !== null && <Results table={results} />}
      {shown.length > 0 && <BestOverTime runs={shown} />}
      <Scroll name={`Runs of ${title}`}>
        <table>
          <Head names={runHead} />
          <tbody>
            {runs.map((run) => (
              <RunRow key={run.id} run={run} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

const runHead = ['run', 'standing', 'data', 'controller', 'steps', 'time', 'best Dice, %', 'test Dice, %'];

function Head({ names }: { readonly names: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function RunRow({ run }: { readonly run: ListedRun }) {
  const { id, name, standing, dataSet, controller, space, steps, seconds, best, testDice, problem } = run;
  return (
    <tr>
      <th scope="row">
        <a href={`#/run/${encodeURIComponent(id)}`}>{name}</a>
      </th>
      <td>
        <span class={`badge ${standing}`}>{standing}</span>
        {problem === null ? null : <p class="problem">{problem}</p>}
      </td>
      <td>{dataSet === null ? '–' : baseName(dataSet)}</td>
      <td>{controller === null ? '–' : `${controller}, ${space}`}</td>
      <td class="number">{steps}</td>
      <td class="number">{duration(seconds)}</td>
      <td class="number">{percent(best)}</td>
      <td class="number">{percent(testDice)}</td>
    </tr>
  );
}

function Results({ table: { head, rows } }: { readonly table: ResultTable }) {
  return (
    <Scroll name="Results">
      <table>
        <Head names={head} />
        <tbody>
          {rows.map(([name, ...cells]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {cells.map((cell, at) => (
                <td key={head[at + 1]} class="number">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The best child's Dice of each run over its time. */
function BestOverTime({ runs }: { readonly runs: readonly ListedRun[] }) {
  const [range, setRange] = useState<Range | null>(null);
  const { x, lines } = useMemo(() => joined(runs), [runs]);
  return (
    <Chart
      title="Best reward of a step, validation Dice, %"
      x={x}
      lines={lines}
      range={range}
      zoom={setRange}
      formatX={duration}
    />
  );
}

/** Curves that have their own times each, over all times that any has. */
function joined(runs: readonly ListedRun[]): { readonly x: readonly number[]; readonly lines: readonly Line[] } {
  const x = [...new Set(runs.flatMap(({ curve }) => curve.map(([seconds]) => seconds)))].sort((a, b) => a - b);
  const lines = runs.map(({ name, curve }, at): Line => {
    const own = new Map(curve);
    const values = x.map((seconds) => {
      const value = own.get(seconds);
      return value === undefined ? null : 100 * value;
    });
    return {
      name,
      values,
      colour: tones[at % tones.length],
      dash: dashes[Math.floor(at / tones.length) % dashes.length],
    };
  });
  return { x, lines };
}
