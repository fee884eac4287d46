// Trains for 2,000 steps on a data set and prints, as JSON, the live tensors and the resident bytes after step 50 and at the
// end: `node --expose-gc leak.mjs DATASET RUN`.
import { memory } from '@ronasmis/libtorch';
import { openBatches } from '../../dist/data/batches.js';
import { openSearch } from '../../dist/search/setup.js';
import { createState } from '../../dist/search/state.js';
import { trainSharedWeights } from '../../dist/search/training.js';
import { macroSpace } from '../../dist/space/macro.js';

const [dataSet, out] = process.argv.slice(2);
const options = { epochs: 10_000, children: 1, folds: 3, fold: 0, device: 'cpu', precision: 'auto', seed: 1 };
const opened = await openSearch({ dataSet, out, ...options }, {});
// A fourth of the usual width: what leaks does so at any width, and this takes a fifth of the time.
const dimensions = { ...opened.context.dimensions, channels: [4, 8, 16, 32, 32] };
const context = { ...opened.context, dimensions, space: macroSpace([16, 16, 16], dimensions) };
const state = createState(context, 1);
const batches = openBatches(context.cases);

function measure() {
  // Twice, for what a first collection finalises is freed by a second one.
  globalThis.gc();
  globalThis.gc();
  return { step: state.trainingSteps, tensors: memory().tensors, residentBytes: process.memoryUsage().rss };
}

const measured = [];
while (state.trainingSteps < 2000) {
  await trainSharedWeights(context, state, opened.budget, batches, async () => {
    if (state.trainingSteps === 50 || state.trainingSteps % 200 === 0) measured.push(measure());
  });
}
await batches.close();
console.log(JSON.stringify(measured));
