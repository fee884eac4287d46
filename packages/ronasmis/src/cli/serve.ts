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

/** Adds `serve FOLDER`. */
export function addServe(program: Command): void {
  program
    .command('serve')
    .description('open a page that export --format web has written, on this machine alone')
    .argument('<folder>', 'folder of the page')
    .addOption(portOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis serve prostate-page')
    .action(async (folder: string, { port = 0, json }: Options) => {
      const missing = ['index.html', 'model.json', 'model.onnx'].find((name) => !existsSync(join(folder, name)));
      if (missing !== undefined) {
        const what = `is no folder of a page that segments, for it has no ${missing}`;
        throw new UserError(`${folder} ${what}: name the folder given to export --format web --out.`);
      }
      await serveUntilStopped({ files: folder }, { port, json, hint: 'Ctrl-C ends the page.' });
    });
}
