import { useEffect, useState } from 'preact/hooks';
import type { Row, RowsMessage, RunState } from '../shared/messages.ts';

/** A run as far as the server has told of it. */
export interface Run {
  readonly id: string;
  readonly state: RunState | null;
  readonly rows: readonly Row[];
  /** Whether rows stand for several steps. */
  readonly thinned: boolean;
  readonly isConnected: boolean;
}

/** Follows a run of this name. The browser connects again by itself, and says where it was. */
export function useRun(id: string): Run {
  const [run, setRun] = useState<Run>(() => nothingOf(id));
  useEffect(() => {
    setRun(nothingOf(id));
    const source = new EventSource(`/api/runs/${encodeURIComponent(id)}/events`);
    source.addEventListener('open', () => setRun((before) => ({ ...before, isConnected: true })));
    source.addEventListener('error', () => setRun((before) => ({ ...before, isConnected: false })));
    source.addEventListener('state', ({ data }) => {
      const state: RunState = JSON.parse(data);
      setRun((before) => ({ ...before, state, isConnected: true }));
    });
    source.addEventListener('rows', ({ data }) => {
      const message: RowsMessage = JSON.parse(data);
      setRun((before) => ({
        ...before,
        rows: message.kind === 'all' ? message.rows : [...before.rows, ...message.rows],
        thinned: message.thinned,
      }));
    });
    return () => source.close();
  }, [id]);
  return run;
}

const nothingOf = (id: string): Run => ({ id, state: null, rows: [], thinned: false, isConnected: true });
