import type { Command } from 'commander';
import { jsonOption } from './options.ts';
import { ranksOption, startRanks, withTeam } from './ranks.ts';
import { runSearch } from './run-search.ts';

/** Adds `resume RUN`. */
export function addResume(program: Command): void {
  program
    .command('resume')
    .description('continue a search that was stopped or killed, from its last finished step')
    .argument('<run>', 'run folder of the search')
    .addOption(ranksOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis resume runs/prostate')
    .action(async (run: string, { json, ranks }: { readonly json?: true; readonly ranks?: number }) => {
      if (ranks !== undefined) return startRanks(ranks);
      return withTeam((team) =>
        runSearch({ folder: run, json: json === true, team }, async (hooks) => {
          const { resume } = await import('../search/resume.ts');
          return resume(run, hooks, { team });
        }),
      );
    });
}
