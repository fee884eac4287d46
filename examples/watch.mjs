// @ts-check
// Follows a search from outside, by its run folder: what a page or another program that shows its progress stands on. It waits for a folder
// that is not there yet. Ctrl-C ends it; the search goes on.
//
//   node examples/watch.mjs RUN
import { UserError, watchRun } from 'ronasmis/run';

const [, , folder] = process.argv;
if (folder === undefined) {
  console.error('Name a run folder: node examples/watch.mjs runs/first');
  process.exit(2);
}
const abort = new AbortController();
process.once('SIGINT', () => abort.abort());

try {
  for await (const update of watchRun(folder, { signal: abort.signal })) {
    if (update.kind === 'run') console.log(`${update.run.settings.controller} on ${update.run.engine.device}`);
    if (update.kind === 'event') {
      const { step, reward_mean, reward_max } = update.event;
      console.log(`Step ${step}: mean reward ${reward_mean?.toFixed(3)}, best ${reward_max?.toFixed(3)}`);
    }
    if (update.kind === 'progress' && update.progress !== null) {
      const { phase, done, total } = update.progress;
      console.log(`${phase}, ${done} of ${total}`);
    }
    if (update.kind === 'finished') console.log(`Test Dice ${update.report.test_dice.mean?.toFixed(3)}`);
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
