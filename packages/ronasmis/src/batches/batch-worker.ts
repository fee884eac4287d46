/** The thread behind `openBatches`: fills the batches it is sent, in order, and says when each is done. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BatchArrays, type BatchPlan, type CropSource, fillBatch } from './fill-batch.ts';

/** What the worker is started with. */
export interface BatchWorkerData {
  readonly cases: readonly CropSource[];
}

/** What the worker is sent. */
export interface BatchRequest {
  readonly plan: BatchPlan;
  readonly arrays: BatchArrays;
}

/** What it answers, one answer a request, in order. */
export type BatchAnswer = { readonly kind: 'filled' } | { readonly kind: 'failed'; readonly message: string };

const { cases }: BatchWorkerData = workerData;

parentPort?.on('message', ({ plan, arrays }: BatchRequest) => {
  const answer = (message: BatchAnswer) => parentPort?.postMessage(message);
  try {
    fillBatch(cases, plan, arrays);
    answer({ kind: 'filled' });
  } catch (error) {
    answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});
