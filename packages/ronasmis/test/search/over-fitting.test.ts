import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { type SearchOptions, search } from '../../src/search/search.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'boxes');
const random = createRandom(1);
await writeDataSet(
  dataSet,
  ['a', 'b', 'c', 'd'].map((name) => boxCase(name, random, [16, 16, 16])),
);

/** What a search says when it starts; it is stopped then. */
async function warningsOf(options: Partial<SearchOptions>): Promise<readonly string[]> {
  const stop = new AbortController();
  const said: string[] = [];
  const onStart = ({ warnings }: { readonly warnings: readonly string[] }): void => {
    said.push(...warnings);
    stop.abort();
  };
  const out = join(root, `run-${random.integer(2 ** 31)}`);
  const searching = search(
    { dataSet, out, folds: 2, device: 'cpu', precision: 'fp32', ...options },
    { onStart, signal: stop.signal },
  );
  await expect(searching).rejects.toThrow('aborted');
  return said.filter((sentence) => sentence.includes('--augment'));
}

it('says that a search of many passes over its training cases over-fits without augmentation', async () => {
  expect(await warningsOf({ epochs: 21 })).toEqual([
    'The training cases are passed over about 63 times, which over-fits: --augment is better from here on.',
  ]);
  expect(await warningsOf({ epochs: 20 })).toEqual([]);
  expect(await warningsOf({ epochs: 21, augment: true })).toEqual([]);
});

it('counts the passes that fit into a time', async () => {
  const [sentence] = await warningsOf({ timeSeconds: 3600 });
  expect(Number(/about (\d+) times/.exec(sentence)?.[1])).toBeGreaterThan(1000);
});
