import { availableProcessors } from '@ronasmis/libtorch/machine';

/** One more than the processors: while files are read, unpacked and written in the background, another one is computed on. */
const inFlight = availableProcessors() + 1;

/**
 * What `work` makes of each item, in the items' order, a few of them (`atOnce` at most) at a time. Once one has failed no other is begun; what
 * is under way is waited for, and the error is that of the first item in order, whichever failed first.
 */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  atOnce = inFlight,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const errors = new Map<number, unknown>();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && errors.size === 0) {
      const index = next++;
      try {
        results[index] = await work(items[index]);
      } catch (error) {
        errors.set(index, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, atOnce) }, worker));
  if (errors.size > 0) throw errors.get(Math.min(...errors.keys()));
  return results;
}
