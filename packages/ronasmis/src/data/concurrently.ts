import { availableParallelism } from 'node:os';

/** One more than the processors: while files are read, unpacked and written in the background, another one is computed on. */
const inFlight = availableParallelism() + 1;

/** What `work` makes of each item, in the items' order, a few of them (`atOnce` at most) at a time. Begins no other once one has failed. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  atOnce = inFlight,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index]);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, atOnce) }, worker));
  return results;
}
