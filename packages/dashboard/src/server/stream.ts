import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { mostRows, thin } from 'ronasmis/report';
import type { RowsMessage } from '../shared/messages.ts';
import type { LiveRun } from './live-run.ts';

/** Milliseconds after which a silent connection is told that it still is one. */
const silence = 20_000;

/** What a page has seen: of which reading of the folder, and how many of its rows. */
interface Seen {
  readonly generation: number;
  readonly count: number;
}

/**
 * Tells a page of a run as server-sent events: `state`, and `rows` with an id by which a page that was cut off goes on where it was. Whatever has come while
 * a page was slow to take what was sent before is one message: nothing piles up.
 */
export function streamRun(context: Context, run: LiveRun): Response {
  return streamSSE(context, async (stream) => {
    let seen = parseSeen(context.req.header('last-event-id'));
    let wake = (): void => {};
    let isChanged = true;
    const unsubscribe = run.subscribe(() => {
      isChanged = true;
      wake();
    });
    stream.onAbort(() => {
      unsubscribe();
      wake();
    });
    try {
      await run.looked;
      while (!stream.aborted && !stream.closed) {
        isChanged = false;
        const rows = rowsSince(run, seen);
        if (rows !== undefined) {
          seen = { generation: run.known().generation, count: run.known().rows.length };
          await stream.writeSSE({ event: 'rows', id: `${seen.generation}-${seen.count}`, data: JSON.stringify(rows) });
        }
        await stream.writeSSE({ event: 'state', data: JSON.stringify(run.state()) });
        if (isChanged) continue;
        const timer = setTimeout(() => wake(), silence);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        clearTimeout(timer);
      }
    } finally {
      unsubscribe();
    }
  });
}

function parseSeen(id: string | undefined): Seen {
  const [, generation, count] = /^(\d+)-(\d+)$/.exec(id ?? '') ?? [];
  return generation === undefined
    ? { generation: -1, count: 0 }
    : { generation: Number(generation), count: Number(count) };
}

/** What has come since; all where something else was told before, or so much has come that it is thinned. Undefined where nothing has. */
function rowsSince(run: LiveRun, seen: Seen): RowsMessage | undefined {
  const { generation, rows } = run.known();
  const fresh = rows.length - seen.count;
  if (seen.generation === generation && fresh === 0) return undefined;
  if (seen.generation === generation && fresh > 0 && rows.length <= mostRows) {
    return { kind: 'more', rows: rows.slice(seen.count), thinned: false };
  }
  return { kind: 'all', rows: thin(rows, mostRows), thinned: rows.length > mostRows };
}
