import { open, rm, stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import { mendable, sync } from '../base/files.ts';

/** How a file is fetched. */
export interface FetchHooks {
  /** Where it is aborted, the fetching rejects with an AbortError; what is there stays. */
  readonly signal?: AbortSignal | undefined;
  /** Told the file's size, and how much of it is there, before anything is written; what it throws ends the fetching. */
  readonly onSize?: (totalBytes: number, doneBytes: number) => Promise<void>;
  readonly onBytes?: (totalBytes: number, doneBytes: number) => void;
}

/** So often in a row a connection may bring nothing. */
const maxFailures = 4;
const firstPauseMilliseconds = 500;

/**
 * Fetches a file over HTTP and goes on where `file` ends, also after the connection was cut: then it waits, a little longer each time, and asks for
 * what is missing.
 * @throws UserError where there is no such file, where it can't be reached, or where `file` can't be written
 */
export async function fetchFile(url: string, file: string, hooks: FetchHooks): Promise<void> {
  let failures = 0;
  for (;;) {
    const before = await sizeOf(file);
    const failure = await fetchRest(url, file, before, hooks);
    if (failure === undefined) return;
    hooks.signal?.throwIfAborted();
    failures = (await sizeOf(file)) > before ? 1 : failures + 1;
    if (failures === maxFailures) {
      throw new UserError(
        `${url}: it can't be fetched (${failure}). Check the connection, then type the same command again: what is there stays.`,
      );
    }
    await setTimeout(firstPauseMilliseconds * 2 ** (failures - 1), undefined, { signal: hooks.signal });
  }
}

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

/** One connection. Returns why it ended early, or undefined where the file is whole. */
async function fetchRest(url: string, file: string, have: number, hooks: FetchHooks): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      headers: { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) },
      signal: hooks.signal ?? null,
    });
    try {
      return await receive(response, { url, file, have }, hooks);
    } finally {
      // What was not read to its end would keep the connection open.
      if (response.body?.locked === false) await response.body.cancel();
    }
  } catch (error) {
    // What fetch and its stream throw when the connection fails, and nothing else does.
    if (!(error instanceof TypeError && error.cause instanceof Error)) throw error;
    const { cause } = error;
    return cause.message || ('code' in cause ? String(cause.code) : cause.name);
  }
}

/** A file that is fetched, of which the first `have` bytes are there. */
interface Fetching {
  readonly url: string;
  readonly file: string;
  readonly have: number;
}

async function receive(
  response: Response,
  { url, file, have }: Fetching,
  { onSize, onBytes }: FetchHooks,
): Promise<string | undefined> {
  const { status, headers, body } = response;
  if (status >= 500) return `the server answers ${status}`;
  const [, from, size] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
  if (status === 416) {
    if (Number(size) === have) return undefined;
    await rm(file);
    return 'it is shorter than what was fetched of it';
  }
  if (status !== 200 && status !== 206) {
    throw new UserError(`${url}: the server answers ${status}. The file may have moved: fetch it in another way.`);
  }
  const total = status === 206 ? Number(size) : Number(headers.get('content-length') ?? Number.NaN);
  const start = status === 206 ? Number(from) : 0;
  if (body === null || !Number.isInteger(total) || (status === 206 && start !== have)) {
    throw new UserError(`${url}: the server does not say what it sends. Fetch the file in another way.`);
  }
  await onSize?.(total, start);
  const handle = await mendable(file, () => open(file, status === 206 ? 'a' : 'w'));
  let done = start;
  try {
    for await (const chunk of body) {
      await mendable(file, () => handle.appendFile(chunk));
      done += chunk.length;
      onBytes?.(total, done);
    }
    await sync(handle);
  } finally {
    await handle.close();
  }
  return done === total ? undefined : 'the connection was cut';
}
