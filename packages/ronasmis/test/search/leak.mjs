// Trains for 2,000 steps on a data set and prints, as JSON, the live tensors and the resident bytes after step 50 and at the
// end: `node --expose-gc leak.mjs DATASET RUN`.
import { memory } from '@ronasmis/libtorch';
import { openBatches } from '../../dist/data/batches.js';
import { openSearch } from '../../dist/search/setup.js';
import { trainSharedWeights } from '../../dist/search/training.js';

const [dataSet, out] = process.argv.slice(2);
const options = { dataSet, out, epochs: 10_000, children: 1, folds: 3, fold: 0, device: 'cpu', precision: 'auto', seed: 1 };
const { context, state, budget } = await openSearch(options, {});
const batches = openBatches(context.cases);

function measure() {
  // Twice, for what a first collection finalises is freed by a second one.
  globalThis.gc();
  globalThis.gc();
  return { tensors: memory().tensors, residentBytes: process.memoryUsage().rss };
}

const measured = [];
while (state.trainingSteps < 2000) {
  await trainSharedWeights(context, state, budget, batches, async () => {
    if (state.trainingSteps === 50 || state.trainingSteps === 2000) measured.push(measure());
  });
}
await batches.close();
console.log(JSON.stringify(measured));
