import { useEffect, useMemo, useState } from 'preact/hooks';
import { Architecture } from '../page/architecture.tsx';
import { Cases } from '../page/cases.tsx';
import { ChildrenView, firstQuery, isSame } from '../page/children.tsx';
import { Curves } from '../page/curves.tsx';
import { Frame } from '../page/frame.tsx';
import { Mind } from '../page/mind.tsx';
import { Settings } from '../page/settings.tsx';
import { useDark } from '../page/theme.ts';
import { childrenPage } from '../shared/children-page.ts';
import type { ChildFigures, ReportTold } from '../shared/messages.ts';
import { DiceDots } from './dice-dots.tsx';
import { Examples } from './examples.tsx';
import { Gain } from './gain.tsx';
import { Head } from './head.tsx';
import { Methods } from './methods.tsx';

/** A finished run with all that there is to see of it: the components of the live page, on what was told once and for all. */
export function ReportPage({ told }: { readonly told: ReportTold }) {
  const { state, notes, cases, tested } = told;
  const isSearch = state.run?.kind === 'search';
  const [child, setChild] = useState<ChildFigures | null>(null);
  const chosen = told.drawings.find((drawing) => drawing.child !== null && isSame(drawing.child, child));
  const drawing = chosen ?? told.found;
  useDarkMark();
  return (
    <Frame>
      <Head told={told} />
      {told.gain !== null && <Gain gain={told.gain} />}
      <Curves run={told} address={null} note={notes.steps} />
      <Architecture
        drawing={drawing}
        problem={child !== null && chosen === undefined ? notHere(told) : null}
        isChosen={child !== null}
        reset={() => setChild(null)}
        {...(chosen === undefined && { note: notes.found })}
      />
      {tested !== null && <DiceDots tested={tested} cases={cases[0]?.cases ?? []} />}
      {told.examples.length > 0 && <Examples examples={told.examples} outlined={told.outlined} />}
      {cases.length > 0 && <Cases tables={cases} classNames={state.run?.classNames ?? {}} opened={null} />}
      {isSearch && <Mind history={told.choices} />}
      {isSearch && told.children.total > 0 && <Children points={told.children} chosen={child} choose={setChild} />}
      <Methods parts={told.methods} />
      <Settings sections={told.record} folder={state.folder} />
    </Frame>
  );
}

const notHere = ({ drawings }: ReportTold): string =>
  `A report has the architectures of the ${drawings.length} best children alone; the live page has all: ronasmis dashboard and the run's folder.`;

interface ChildrenProps {
  readonly points: ReportTold['children'];
  readonly chosen: ChildFigures | null;
  readonly choose: (child: ChildFigures) => void;
}

/** The children that the report has, in the order that is asked for. */
function Children({ points, chosen, choose }: ChildrenProps) {
  const [query, ask] = useState(firstQuery);
  const page = useMemo(() => childrenPage(points.children, query), [points, query]);
  return <ChildrenView page={page} points={points} query={query} ask={ask} chosen={chosen} choose={choose} />;
}

/** Notes whether canvases were drawn for a dark page: on paper, which is light, their colours are turned round. */
function useDarkMark(): void {
  const isDark = useDark();
  useEffect(() => {
    document.documentElement.classList.toggle('drawn-dark', isDark);
  }, [isDark]);
}
