import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { voxelsOf } from '../base/geometry.ts';
import type { BatchAnswer, BatchRequest, BatchWorkerData } from './batch-worker.ts';
import { type BatchArrays, type BatchPlan, type CropSource, filledShape } from './fill-batch.ts';

/** A filled batch: image `[batch, channel, depth, height, width]`, label `[batch, depth, height, width]`, in shared memory. */
export interface Batch extends BatchArrays {
  readonly plan: BatchPlan;
  /** Gives the memory back for a later batch: the arrays must not be read after it. */
  release(): void;
}

/** Batches that a thread of its own makes beside the training. */
export interface Batches {
  /** Queues a batch; ask for one or two ahead, so that `next` never waits. */
  request(plan: BatchPlan): void;
  /** The batch of the oldest request that was not taken yet. Rejects where it could not be made. */
  next(): Promise<Batch>;
  /** Ends the thread; what was requested and not taken is dropped. */
  close(): Promise<void>;
}

interface Buffers {
  readonly image: SharedArrayBuffer;
  readonly label: SharedArrayBuffer;
}

interface Pending {
  readonly promise: Promise<Batch>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Beside this file, and of its kind: source or compiled. */
const WORKER_FILE = `./batch-worker${extname(import.meta.url)}`;

/** Starts the thread that fills batches from `cases`, which it reads in shared memory or on disk without a copy. */
export function openBatches(cases: readonly CropSource[]): Batches {
  const workerData: BatchWorkerData = {
    cases: cases.map(({ channels, shape, storage }) => ({ channels, shape, storage })),
  };
  const worker = new Worker(new URL(WORKER_FILE, import.meta.url), { workerData });
  const free: Buffers[] = [];
  /** Sent to the worker and not answered; and asked for and not taken. Both oldest first. */
  const unanswered: Pending[] = [];
  const untaken: Pending[] = [];
  let failure: Error | undefined;

  const fail = (error: Error) => {
    failure = error;
    for (const pending of unanswered.splice(0)) pending.reject(error);
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(failure ?? new Error('The thread that makes batches has ended.')));
  worker.on('message', (answer: BatchAnswer) => {
    const pending = unanswered.shift();
    if (answer.kind === 'filled') pending?.resolve();
    else pending?.reject(new Error(answer.message));
  });

  return {
    request(plan) {
      const label = plan.crops.length * voxelsOf(filledShape(plan));
      const image = label * cases[plan.crops[0].case].channels;
      const buffers = takeBuffers(free, 4 * image, label);
      const arrays = {
        image: new Float32Array(buffers.image, 0, image),
        label: new Uint8Array(buffers.label, 0, label),
      };
      const pending = createPending({ ...arrays, plan, release: () => free.push(buffers) });
      untaken.push(pending);
      if (failure) {
        pending.reject(failure);
        return;
      }
      unanswered.push(pending);
      const request: BatchRequest = { plan, arrays };
      worker.postMessage(request);
    },
    next() {
      const pending = untaken.shift();
      return pending ? pending.promise : Promise.reject(new Error('No batch was requested.'));
    },
    async close() {
      await worker.terminate();
    },
  };
}

/** Released buffers that are large enough, or new ones; a released pair that is too small makes room for them. */
function takeBuffers(free: Buffers[], imageBytes: number, labelBytes: number): Buffers {
  const fits = ({ image, label }: Buffers) => image.byteLength >= imageBytes && label.byteLength >= labelBytes;
  const index = free.findIndex(fits);
  if (index >= 0) return free.splice(index, 1)[0];
  free.pop();
  return { image: new SharedArrayBuffer(imageBytes), label: new SharedArrayBuffer(labelBytes) };
}

function createPending(batch: Batch): Pending {
  let resolve = () => {};
  let reject = (_: Error) => {};
  const promise = new Promise<Batch>((fulfil, refuse) => {
    resolve = () => fulfil(batch);
    reject = refuse;
  });
  // A failure belongs to whoever takes this batch; until then it is not unhandled.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
