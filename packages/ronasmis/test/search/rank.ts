// A rank of a training: `node --import ../../../../test/from-source.mjs rank.ts DATASET RUN STEPS`, with the launcher's variables. Prints, as JSON, the
// loss of each training step, and after the last a hash of the weights and how many tensors live.
import { createHash } from 'node:crypto';
import { joinRanks, memory, setThreads } from '@ronasmis/libtorch';
import { openBatches } from '../../src/batches/batches.ts';
import { rankOf } from '../../src/ranks/launcher.ts';
import { alone } from '../../src/ranks/team.ts';
import { teamOf } from '../../src/ranks/team-of.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { withDefaults } from '../../src/search/options.ts';
import { sharedSteps } from '../../src/search/planned-steps.ts';
import { openSearch } from '../../src/search/setup.ts';
import { train } from '../../src/training/train.ts';

const [dataSet, out, steps] = process.argv.slice(2);
setThreads(1);
const rank = rankOf(process.env);
const ranks = rank === null ? undefined : joinRanks({ ...rank, meetingSeconds: 100, exchangeSeconds: 100 });
const team = ranks === undefined ? alone : teamOf(ranks);
// Adam would make much of the last digits of a gradient that is all but 0.
const plain = { optimiser: 'sgd', learning_rate: 1e-3, weight_decay_in: 'gradient', mini_batches: 4 } as const;
const recipe = { ...defaultRecipe, training: { ...defaultRecipe.training, ...plain } };
const settings = {
  dataSet,
  out,
  team,
  recipe,
  folds: 3,
  epochs: 10,
  children: 2,
  controller: 'reinforce',
  precision: 'fp32',
  device: 'cpu',
} as const;
const run = await openSearch(withDefaults(settings), {});
const { trainer, random } = run.state;
const batches = openBatches(run.context.cases);
const planned = sharedSteps(run, undefined);
const losses: number[] = [];
for (let step = 0; step < Number(steps); step++) {
  const pace = { planned: 1, isEnough: () => true, fraction: () => step / Number(steps), after: async () => {} };
  const { loss } = await train(trainer, { steps: planned, batches, random, team }, pace);
  losses.push(loss);
}
const hash = createHash('sha256');
for (const weight of [...trainer.weights.values(), ...trainer.averaged.values()])
  hash.update(new Uint8Array(weight.toArray().buffer));
await batches.close();
await run.release();
ranks?.leave();
console.log(JSON.stringify({ losses, tensors: memory().tensors, weights: hash.digest('hex') }));
