import { setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { UserError } from 'ronasmis/run';
import { serveFiles } from './files.ts';
import { serveDashboard } from './serve.ts';

// A page's server as a process of its own: main.js [--port N] RUN..., or main.js [--port N] --files FOLDER. The command line starts it; it ends with it.

/** Below the search that it shows: whoever waits for a page has time. */
const niceness = 10;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { port: { type: 'string', default: '0' }, files: { type: 'string' } },
    allowPositionals: true,
  });
  setPriority(niceness);
  const port = Number(values.port);
  const server = await (values.files === undefined
    ? serveDashboard({ folders: positionals, port })
    : serveFiles({ folder: values.files, port }));
  process.stdout.write(`${server.address}\n`);
  const stop = (): void => void server.close().then(() => process.exit(0));
  // The process that has started it is gone.
  process.once('disconnect', stop).once('SIGINT', stop).once('SIGTERM', stop);
}

main().catch((error: unknown) => {
  const isFixable = error instanceof UserError;
  process.stderr.write(
    `${isFixable ? `error: ${error.message}` : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exit(isFixable ? 2 : 1);
});
