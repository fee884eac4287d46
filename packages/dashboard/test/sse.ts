import { get, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { RowsMessage, RunState } from '../src/shared/messages.ts';

/** A message of a stream of server-sent events. */
interface Message {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** A page's connection, without a page. */
export interface Connection {
  readonly messages: readonly Message[];
  /** Waits until what is known of the run satisfies this. */
  readonly until: (isDone: (connection: Connection) => boolean) => Promise<void>;
  readonly state: () => RunState | undefined;
  /** All rows, as a page puts them together. */
  readonly rows: () => readonly number[];
  readonly close: () => void;
}

/** What a server answers. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Asks by a connection of its own, with any headers: as no browser would. */
export function ask(address: string, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  const { hostname: host, port } = new URL(address);
  return new Promise<Answer>((resolve, reject) => {
    const asked = request({ host, port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on('error', reject).end();
  });
}

/** The JSON at a path. */
export const jsonAt = async (address: string, path: string) => JSON.parse((await ask(address, path)).text);

/** Listens to a run from the beginning, or from the message of this id on. */
export async function listen(address: string, lastId?: string): Promise<Connection> {
  const messages: Message[] = [];
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(address, { agent: false, headers: lastId === undefined ? {} : { 'Last-Event-ID': lastId } }, resolve).on(
      'error',
      reject,
    );
  });
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    messages.push(...blocks.map(parse));
  });
  response.on('error', () => {});
  const last = (event: string): Message | undefined => messages.findLast((message) => message.event === event);
  const connection: Connection = {
    messages,
    until: async (isDone) => {
      while (!isDone(connection)) await setTimeout(10);
    },
    state: () => {
      const found = last('state');
      return found && JSON.parse(found.data);
    },
    rows: () => {
      let steps: number[] = [];
      for (const { event, data } of messages) {
        if (event !== 'rows') continue;
        const { kind, rows }: RowsMessage = JSON.parse(data);
        if (kind === 'all') steps = [];
        steps.push(...rows.map(({ step }) => step));
      }
      return steps;
    },
    close: () => response.destroy(),
  };
  return connection;
}

function parse(block: string): Message {
  const field = (name: string): string =>
    block
      .split('\n')
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).trimStart())
      .join('\n');
  return { event: field('event'), id: field('id'), data: field('data') };
}
