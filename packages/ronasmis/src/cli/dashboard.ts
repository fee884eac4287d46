import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../base/errors.ts';
import { startDashboard } from './dashboard-process.ts';
import { integerBetween, jsonOption } from './options.ts';
import { note, print, printJson } from './output.ts';

interface Options {
  readonly port?: number;
  readonly json?: true;
}

/** Of these one makes a folder worth looking at. */
const records = ['run.json', 'study.json', 'compare.json', 'headroom.json'] as const;

/** Adds `dashboard RUN...`. */
export function addDashboard(program: Command): void {
  program
    .command('dashboard')
    .description('show runs on a live page in your browser, while they go on and afterwards')
    .argument('<run...>', 'run folders, or folders of a study or a comparison')
    .option(
      '--port <n>',
      'port of this machine to serve the page on (default: one that is free)',
      integerBetween(1, 65_535),
    )
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis dashboard runs/prostate')
    .action(async (folders: readonly string[], { port = 0, json }: Options) => {
      const strange = folders.find((folder) => !records.some((name) => existsSync(join(folder, name))));
      if (strange !== undefined) {
        throw new UserError(
          `${strange} is no run folder, for it has none of ${records.join(', ')}: name the folder given to --out.`,
        );
      }
      await serve(folders, port, json === true);
    });
}

/** Serves until Ctrl-C. */
async function serve(folders: readonly string[], port: number, json: boolean): Promise<void> {
  const { address: starting, ended, stop } = startDashboard(folders, port);
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    const address = await starting;
    if (json) printJson({ address });
    else print(address);
    note('Open this address in your browser. Ctrl-C ends the page, not the search.');
    await ended;
  } finally {
    stop();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
