import { useCallback, useEffect, useState } from 'preact/hooks';
import type { CaseTable, ChildFigures, ChoiceHistory, Drawing, RecordSections } from '../shared/messages.ts';
import { Architecture } from './architecture.tsx';
import { Cases } from './cases.tsx';
import { Children } from './children.tsx';
import { Curves } from './curves.tsx';
import { baseName } from './format.ts';
import { Mind } from './mind.tsx';
import { Progress } from './progress.tsx';
import { Settings } from './settings.tsx';
import { useJson } from './use-json.ts';
import { useRun } from './use-run.ts';
import { Viewer } from './viewer.tsx';

/** A run with all that there is to see of it. */
export function RunPage({ id }: { readonly id: string }) {
  const run = useRun(id);
  const { state } = run;
  const version = state?.version ?? 0;
  const steps = state?.steps ?? 0;
  // What changes with a finished step alone is not asked for again at every heartbeat.
  const settled = steps + (state?.standing === 'finished' ? 0.5 : 0) + (state?.run === null ? 0 : 0.25);
  const address = `/api/runs/${encodeURIComponent(id)}`;
  const isBegun = state?.run != null;
  const at = (path: string): string | null => (isBegun ? `${address}/${path}` : null);
  const [child, setChild] = useState<ChildFigures | null>(null);
  const [opened, setOpened] = useState<string | null>(null);
  const choices = useJson<ChoiceHistory>(at('choices'), settled);
  const cases = useJson<readonly CaseTable[]>(at('cases'), settled);
  const record = useJson<RecordSections>(at('record'), isBegun ? 1 : 0);
  const drawing = useJson<Drawing | null>(
    at(child === null ? 'architecture' : `children/${child.step}/${child.index}`),
    child === null ? settled : 0,
  );
  // Until it is known, the place is kept.
  const isSearch = state?.run == null || state.run.kind === 'search';
  const name = state?.run ? baseName(state.run.dataSet) : baseName(state?.folder ?? id);
  const open = useCallback((name: string) => {
    setOpened(name);
    document.getElementById('viewer')?.scrollIntoView({ block: 'start' });
  }, []);
  useEffect(() => {
    document.title = `${name} · RONASMIS`;
  }, [name]);
  const worst = cases.value?.at(0)?.cases.at(0)?.name ?? null;
  return (
    <>
      <Progress run={run} name={name} />
      <Curves run={run} address={address} />
      {isSearch && <Mind history={choices.value} />}
      <Architecture
        drawing={drawing.value}
        problem={drawing.problem}
        isChosen={child !== null}
        reset={() => setChild(null)}
      />
      {isSearch && <Children address={at('')} version={settled} chosen={child} choose={setChild} />}
      <Cases
        tables={cases.value ?? []}
        classNames={state?.run?.classNames ?? {}}
        open={open}
        opened={opened ?? worst}
      />
      <Viewer
        address={at('volumes')}
        tables={cases.value ?? []}
        name={opened ?? worst}
        open={setOpened}
        version={version > 0 ? Math.floor(settled) : 0}
      />
      <Settings sections={record.value ?? []} folder={state?.folder ?? ''} />
    </>
  );
}
