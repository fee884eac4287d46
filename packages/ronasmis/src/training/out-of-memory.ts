import { emptyCache, isOutOfMemory } from '@ronasmis/libtorch';
import type { ComputeDevice } from '../engine/device.ts';

/**
 * Runs what needs a network's memory. Where it does not suffice after all, what was left for later tensors is given back and the result is
 * undefined.
 */
export async function whereMemorySuffices<Result>(
  device: ComputeDevice,
  body: () => Result | Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await body();
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    emptyCache(device);
    return undefined;
  }
}
