// Lets threads run TypeScript where Vitest sees to the main thread.
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) await import('./from-source.mjs');
