import { setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { UserError } from 'ronasmis/run';
import { serveDashboard } from './serve.ts';

// The page's server as a process of its own: main.js [--port N] RUN... The command line starts it; it ends with it.

/** Below the search that it shows: whoever waits for a page has time. */
const niceness = 10;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { port: { type: 'string', default: '0' } },
    allowPositionals: true,
  });
  setPriority(niceness);
  const server = await serveDashboard({ folders: positionals, port: Number(values.port) });
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
