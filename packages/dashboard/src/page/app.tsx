import { useEffect, useState } from 'preact/hooks';
import type { ListedFolder } from '../shared/messages.ts';
import { Frame } from './frame.tsx';
import { Overview } from './overview.tsx';
import { RunPage } from './run-page.tsx';
import { useJson } from './use-json.ts';

/** Milliseconds between two looks at the list of runs. */
const listPause = 4000;

/** The page: the run that the address names, or the only one, or the list of all. */
export function App() {
  const wanted = useWantedRun();
  const version = useTicks(listPause);
  const { value: folders, problem } = useJson<readonly ListedFolder[]>(
    '/api/folders',
    wanted === undefined ? version : 0,
  );
  const runs = folders?.flatMap((folder) => folder.runs) ?? [];
  const isSingle = folders !== null && folders.length === 1 && folders[0].kind === 'run';
  const id = wanted ?? (isSingle ? runs.at(0)?.id : undefined);
  return (
    <Frame
      beside={
        !isSingle &&
        folders !== null && (
          <nav aria-label="Runs">
            <a href="#/" aria-current={id === undefined ? 'page' : undefined}>
              All runs
            </a>
            {id !== undefined && <span aria-hidden="true">/</span>}
            {id !== undefined && (
              <a href={`#/run/${encodeURIComponent(id)}`} aria-current="page">
                {nameOf(id)}
              </a>
            )}
          </nav>
        )
      }
    >
      {problem !== null && folders === null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {id !== undefined ? <RunPage key={id} id={id} /> : folders !== null && <Overview folders={folders} />}
      {folders === null && wanted === undefined && <div class="reserve" aria-busy="true" />}
    </Frame>
  );
}

const nameOf = (id: string): string => id.split(':').at(-1) ?? id;

/** The run that the address names after `#/run/`. */
function useWantedRun(): string | undefined {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const tell = (): void => setHash(location.hash);
    addEventListener('hashchange', tell);
    return () => removeEventListener('hashchange', tell);
  }, []);
  const [, id] = /^#\/run\/(.+)$/.exec(hash) ?? [];
  return id === undefined ? undefined : decodeURIComponent(id);
}

/** A number that grows every so many milliseconds while the page is seen. */
function useTicks(milliseconds: number): number {
  const [ticks, setTicks] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setTicks((before) => before + 1);
    }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
  return ticks;
}
