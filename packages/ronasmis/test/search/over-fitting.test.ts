import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { paperRecipe } from '../../src/recipe/paper.ts';
import { readRun } from '../../src/run/read-run.ts';
import type { RunRecord } from '../../src/run/run-record.ts';
import { type SearchOptions, search } from '../../src/search/search.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'boxes');
const random = createRandom(1);
await writeDataSet(
  dataSet,
  ['a', 'b', 'c', 'd'].map((name) => boxCase(name, random, [16, 16, 16])),
);

interface Begun {
  readonly warnings: readonly string[];
  readonly run: RunRecord;
}

/** How a search begins; it is stopped then. */
async function begun(options: Partial<SearchOptions>): Promise<Begun> {
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
  return { warnings: said.filter((sentence) => sentence.includes('--augment')), run: (await readRun(out)).run };
}

it('augments where a search passes over its training cases often, and records why', async () => {
  const often = await begun({ epochs: 21 });
  expect(often.run.settings.augment).toBe('auto');
  expect(often.run.augmentation).toEqual({ from_start: true, expected_passes: 63 });
  expect((await begun({ epochs: 20 })).run.augmentation).toEqual({ from_start: false, expected_passes: 60 });
  expect((await begun({ epochs: 1, augment: 'on' })).run.augmentation).toMatchObject({ from_start: true });
  expect((await begun({ epochs: 21, augment: 'off' })).run.augmentation).toMatchObject({ from_start: false });
  // The published recipe never does by itself.
  expect((await begun({ epochs: 21, recipe: paperRecipe })).run.augmentation).toMatchObject({ from_start: false });
  expect(often.warnings).toEqual([]);
});

it('says that a search of many passes over its training cases over-fits without augmentation', async () => {
  expect((await begun({ epochs: 21, augment: 'off' })).warnings).toEqual([
    'The training cases are passed over about 63 times, which over-fits without augmentation: leave --augment to the search.',
  ]);
  expect((await begun({ epochs: 20, augment: 'off' })).warnings).toEqual([]);
});

it('counts the passes that fit into a time', async () => {
  const { run } = await begun({ timeSeconds: 3600 });
  expect(run.augmentation?.expected_passes).toBeGreaterThan(1000);
});
