// Random children of a data set's space under a memory budget, each trained once and judged on the largest scan: prints what memory.ts
// reads. In a process of its own, so that its peak memory is its own; on Linux, where a process may forget its peak.
import { writeFileSync } from 'node:fs';
import { emptyCache, peakMemoryBytes } from '@ronasmis/libtorch';
import { type Architecture, createRandom, drawChild } from 'ronasmis';
import {
  freeBatches,
  judge,
  openBatches,
  openSearch,
  patchesPerBatch,
  samplePlan,
  toDeviceBatches,
  trainOnce,
  withDefaults,
} from 'ronasmis/internal';
import { sizeOf } from './training.ts';

const [dataSet, out, memory, count] = process.argv.slice(2);
const options = {
  dataSet,
  out,
  memoryBytes: Number(memory),
  epochs: 1,
  children: 1,
  controller: 'random',
  device: 'cpu',
} as const;
const { context, state, plan } = await openSearch(withDefaults(options), {});
const { space, cases } = context;
const voxels = ([depth, height, width]: readonly number[]): number => depth * height * width;
const largest = cases.reduce((one, other) => (voxels(other.shape) > voxels(one.shape) ? other : one));
const batches = openBatches(cases);

async function run(child: Architecture): Promise<void> {
  const crops = Array.from({ length: patchesPerBatch(context, child.patch) }, (_, index) => index % cases.length);
  batches.request(samplePlan(state.random, cases, crops, { patch: sizeOf(child), augment: false }));
  const batch = await batches.next();
  trainOnce(context, state, child, batch);
  batch.release();
  const judged = toDeviceBatches(context, [largest]);
  await judge(context, state.weights, child, judged, async () => {});
  freeBatches(judged);
}

const random = createRandom(1);
const measured: { readonly predicted: number; readonly measured: number }[] = [];
await run(space.largest);
for (let done = 0; done < Number(count); done += 1) {
  const child = space.decode(drawChild(space, 0, random));
  emptyCache('cpu');
  writeFileSync('/proc/self/clear_refs', '5');
  await run(child);
  measured.push({ predicted: plan.bytesFor(child), measured: peakMemoryBytes('cpu') });
}
await batches.close();
console.log(JSON.stringify({ patch: sizeOf(space.base), channels: context.dimensions.channels, measured }));
