// Trains for 2,000 steps on a data set and prints, as JSON, the live tensors and the resident bytes after step 50 and at the
// end: `node --import ../../../../test/from-source.mjs --expose-gc leak.ts DATASET RUN`.
import { setImmediate } from 'node:timers/promises';
import { memory } from '@ronasmis/libtorch';
import { openBatches } from '../../src/batches/batches.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import type { SearchSettings } from '../../src/search/options.ts';
import { trainPhase } from '../../src/search/phases.ts';
import { sharedSteps } from '../../src/search/planned-steps.ts';
import { openSearch } from '../../src/search/setup.ts';
import { createSearchState } from '../../src/search/state.ts';
import { macroSpace } from '../../src/space/macro.ts';

const [dataSet, out] = process.argv.slice(2);
const options: Omit<SearchSettings, 'dataSet' | 'out'> = {
  epochs: 10_000,
  children: 1,
  controller: 'reinforce',
  recipe: defaultRecipe,
  space: 'macro',
  augment: 'off',
  folds: 3,
  fold: 0,
  device: 'cpu',
  precision: 'auto',
  seed: 1,
};
const { context: usual, clock, ...opened } = await openSearch({ dataSet, out, ...options }, {});
// A fourth of the usual width: what leaks does so at any width, and this takes a fifth of the time.
const dimensions = { ...usual.dimensions, channels: [4, 8, 16, 32, 32] };
const space = macroSpace([16, 16, 16], dimensions);
const state = createSearchState({ ...usual, dimensions, space }, options.controller, 1);
// Eight children take turns: oneDNN keeps a kernel for every shape of convolution, and after step 50 it has met all of these.
const children = state.controller
  .proposeForTraining(8, state.random, { expectedSteps: 10_000, done: 0 })
  .map(space.decode);
let turn = 0;
const context = { ...usual, dimensions, space: { ...space, decode: () => children[turn++ % children.length] } };
const batches = openBatches(context.cases);

async function measure() {
  // Finalizers run in a turn of their own, and what they free is collected by the next collection.
  for (let turns = 0; turns < 3; turns += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  return { step: state.trainer.steps, tensors: memory().tensors, residentBytes: process.memoryUsage().rss };
}

const measured: Awaited<ReturnType<typeof measure>>[] = [];
const watch = {
  tell: async () => {
    if (state.trainer.steps === 50 || state.trainer.steps === 2000) measured.push(await measure());
  },
  warn: () => {},
};
const run = { ...opened, context, state, clock, batches, watch, meet: async () => {} };
while (state.trainer.steps < 2000) {
  await trainPhase(run, sharedSteps(run, undefined));
}
await batches.close();
console.log(JSON.stringify(measured));
