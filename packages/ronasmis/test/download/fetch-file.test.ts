import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { fetchFile } from '../../src/download/fetch-file.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { sendFile, serve } from './server.ts';

const root = await temporaryFolder();
const bytes = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) >> 3));
const half = bytes.length / 2;
const newFile = async (): Promise<string> => join(await mkdtemp(join(root, 'out-')), 'file');

async function expectWhole(file: string): Promise<void> {
  expect((await readFile(file)).equals(bytes)).toBe(true);
}

describe('a file', () => {
  it('comes whole, and its size is told before anything is written', async () => {
    const { url, ranges } = await serve((response, request) => sendFile(bytes, response, request));
    const file = await newFile();
    const sizes: (readonly number[])[] = [];
    const done: number[] = [];
    await fetchFile(url, file, {
      onSize: async (...size) => {
        sizes.push(size);
        expect(await readdir(join(file, '..'))).toEqual([]);
      },
      onBytes: (total, count) => {
        expect(total).toBe(bytes.length);
        done.push(count);
      },
    });
    await expectWhole(file);
    expect(sizes).toEqual([[bytes.length, 0]]);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(done.at(-1)).toBe(bytes.length);
    expect(ranges).toEqual([undefined]);
  });

  it('goes on by itself where the connection is cut', async () => {
    const { url, ranges } = await serve((response, request, number) =>
      sendFile(bytes, response, request, number === 0 ? half : bytes.length),
    );
    const file = await newFile();
    await fetchFile(url, file, {});
    await expectWhole(file);
    expect(ranges).toEqual([undefined, `bytes=${half}-`]);
  });

  it('that is whole is asked for once more, and left', async () => {
    const { url, ranges } = await serve((response, request) => sendFile(bytes, response, request));
    const file = await newFile();
    await writeFile(file, bytes);
    await fetchFile(url, file, {});
    await expectWhole(file);
    expect(ranges).toEqual([`bytes=${bytes.length}-`]);
  });

  it('starts over where the server knows no ranges, or has a shorter file', async () => {
    const { url } = await serve((response) => response.end(bytes));
    const file = await newFile();
    await writeFile(file, 'something else');
    await fetchFile(url, file, {});
    await expectWhole(file);
    const ranged = await serve((response, request) => sendFile(bytes, response, request));
    const other = await newFile();
    await writeFile(other, Buffer.concat([bytes, bytes]));
    await fetchFile(ranged.url, other, {});
    await expectWhole(other);
    expect(ranged.ranges).toEqual([`bytes=${2 * bytes.length}-`, undefined]);
  });
});

describe('what goes wrong is said', () => {
  /** What is said of a fetching that fails. */
  async function refusal(url: string): Promise<string> {
    const error: unknown = await fetchFile(url, await newFile(), {}).catch((caught: unknown) => caught);
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }

  it('of a file that is not there', async () => {
    const { url, ranges } = await serve((response) => response.writeHead(404).end('nothing here'));
    expect(await refusal(url)).toMatch(/answers 404\. The file may/);
    expect(ranges).toHaveLength(1);
  });

  it('of a server that has trouble, after some more requests', async () => {
    const { url, ranges } = await serve((response) => response.writeHead(503).end());
    expect(await refusal(url)).toMatch(
      /can't be fetched \(the server answers 503\)\. Check the connection, then type the same command again/,
    );
    expect(ranges).toHaveLength(4);
  });

  it('of a server that can not be reached', async () => {
    expect(await refusal('http://127.0.0.1:1/Boxes.tar')).toMatch(/can't be fetched \(.+\)\. Check/);
  });

  it('of a server that sends another part than it was asked for', async () => {
    const { url } = await serve((response) =>
      response.writeHead(206, { 'content-range': `bytes 0-9/${bytes.length}` }).end(bytes.subarray(0, 10)),
    );
    const file = await newFile();
    await writeFile(file, bytes.subarray(0, half));
    await expect(fetchFile(url, file, {})).rejects.toThrow(/does not say what it sends\. Fetch/);
    expect((await readFile(file)).length).toBe(half);
  });
});
