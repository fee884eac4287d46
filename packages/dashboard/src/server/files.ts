import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { Hono } from 'hono';
import { UserError } from 'ronasmis/run';
import { guard } from './guard.ts';
import { type LoopbackServer, listen } from './listen.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** What is served, and where. */
export interface ServeFilesOptions {
  /** A page that `export --format web` has written. */
  readonly folder: string;
  /** One that is free where it is 0. */
  readonly port: number;
}

/**
 * Serves the files of a folder, and nothing that lies elsewhere, links that lead there included, on this machine's loopback alone.
 * @throws UserError where there is no such folder, or the port is taken
 */
export async function serveFiles({ folder, port: wanted }: ServeFilesOptions): Promise<LoopbackServer> {
  const root = await realpath(folder).catch(() => {
    throw new UserError(`${folder}: there is no such folder. Give the one that export --format web has written.`);
  });
  const listening = { port: 0 };
  const app = new Hono();
  app.use(guard(() => listening.port, 'computing'));
  app.get('*', async (context) => {
    const file = await fileAt(root, context.req.path);
    const content = file && (await readFile(file).catch(() => undefined));
    if (file === undefined || content === undefined) return context.text('Nothing is here.\n', 404);
    const type = types[extname(file)] ?? 'application/octet-stream';
    return context.body(content, 200, { 'Content-Type': type, 'Cache-Control': 'no-cache' });
  });
  app.all('*', (context) => context.text('Nothing can be sent here.\n', 405));
  const server = await listen(app, wanted);
  listening.port = server.port;
  return server;
}

/** The file that the path of an address means, by its true path; undefined where it is none within the folder. */
async function fileAt(root: string, path: string): Promise<string | undefined> {
  const name = decoded(path);
  if (name === undefined || name.includes('\0')) return undefined;
  const found = await realpath(join(root, name.endsWith('/') ? `${name}index.html` : name)).catch(() => undefined);
  return found?.startsWith(root + sep) ? found : undefined;
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
