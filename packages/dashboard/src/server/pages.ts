import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hono } from 'hono';
import { UserError } from 'ronasmis/run';

/** Where the built page is, from the source as from what was compiled. */
const pageFolder = fileURLToPath(new URL('../../dist/page', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Serves the files of the page: those that there are now, by their names alone. @throws UserError where the page was not built */
export function servePages(app: Hono): void {
  for (const name of builtFiles()) {
    const address = name === 'index.html' ? '/' : `/${name}`;
    // What has a hash in its name never changes.
    const cache = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    const type = types[extname(name)] ?? 'application/octet-stream';
    app.get(address, async (context) => {
      const content = await readFile(join(pageFolder, name));
      return context.body(content, 200, { 'Content-Type': type, 'Cache-Control': cache });
    });
  }
}

function builtFiles(): readonly string[] {
  try {
    return readdirSync(pageFolder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(pageFolder, name)).isFile())
      .map((name) => name.split(sep).join('/'));
  } catch {
    throw new UserError("The live page was not built: type 'npm run setup' in the checkout.");
  }
}
