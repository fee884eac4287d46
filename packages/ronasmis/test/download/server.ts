import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll } from 'vitest';

/** What answers a request for the file; the n-th request of a server has the number n, from 0. */
export type Answer = (response: ServerResponse, request: IncomingMessage, number: number) => void;

/** A server on loopback, until the tests of this file end. */
export async function serve(answer: Answer): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(response, request, ranges.length - 1);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { url: `http://127.0.0.1:${address.port}/Boxes.tar`, ranges };
}

/** Sends what is asked for, as S3 does; the body ends after `limit` bytes with a cut connection. */
export function sendFile(
  file: Uint8Array,
  response: ServerResponse,
  { headers }: IncomingMessage,
  limit = file.length,
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  if (headers.range !== undefined && from >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
    return;
  }
  const body = file.subarray(from);
  const size = { 'content-length': body.length };
  if (headers.range === undefined) response.writeHead(200, size);
  else response.writeHead(206, { ...size, 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` });
  if (body.length <= limit) response.end(body);
  else response.write(body.subarray(0, limit), () => setTimeout(() => response.destroy(), 50));
}

/** One entry of an archive; `type` is tar's: '0' a file, '1' a link, '2' a symbolic link, '3' a device, '6' a pipe, 'x' more of the next entry. */
export interface Entry {
  readonly path: string;
  readonly content?: string;
  readonly type?: string;
  readonly target?: string;
}

/** An archive with any paths, which no `tar` would write. */
export function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, content = '', type = '0', target = '' }) => {
    const header = Buffer.alloc(512);
    const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
    header.write(path, 0);
    header.write(octal(0o644, 7), 100);
    header.write(octal(0, 7), 108);
    header.write(octal(0, 7), 116);
    header.write(octal(content.length, 11), 124);
    header.write(octal(0, 11), 136);
    header.write(' '.repeat(8), 148);
    header.write(type, 156);
    header.write(target, 157);
    header.write('ustar\x0000', 257);
    header.write(
      `${octal(
        header.reduce((sum, byte) => sum + byte, 0),
        6,
      )} `,
      148,
    );
    const body = Buffer.alloc(512 * Math.ceil(content.length / 512));
    body.write(content);
    return [header, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export const md5Of = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');
