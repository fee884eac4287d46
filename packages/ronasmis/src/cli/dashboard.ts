import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../base/errors.ts';
import { serveUntilStopped } from './dashboard-process.ts';
import { jsonOption, portOption } from './options.ts';

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
    .addOption(portOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis dashboard runs/prostate')
    .action(async (folders: readonly string[], { port = 0, json }: Options) => {
      const strange = folders.find((folder) => !records.some((name) => existsSync(join(folder, name))));
      if (strange !== undefined) {
        throw new UserError(
          `${strange} is no run folder, for it has none of ${records.join(', ')}: name the folder given to --out.`,
        );
      }
      await serveUntilStopped({ runs: folders }, { port, json, hint: 'Ctrl-C ends the page, not the search.' });
    });
}
