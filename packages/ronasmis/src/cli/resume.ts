import type { Command } from 'commander';
import { jsonOption } from './options.ts';
import { runSearch } from './run-search.ts';

/** Adds `resume RUN`. */
export function addResume(program: Command): void {
  program
    .command('resume')
    .description('continue a search that was stopped or killed, from its last finished step')
    .argument('<run>', 'run folder of the search')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis resume runs/prostate')
    .action(async (run: string, { json }: { readonly json?: true }) => {
      await runSearch(run, json === true, async (hooks) => {
        const { resume } = await import('../search/resume.ts');
        return resume(run, hooks);
      });
    });
}
