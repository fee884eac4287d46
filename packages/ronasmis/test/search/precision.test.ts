import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import { search } from '../../src/search/search.ts';
import { temporaryFolder } from '../data/scans.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Phantom');

// Over half a minute where the processor has no units for bfloat16, for it trains twice until there is something to compare.
it('trained in bfloat16, a network reaches the Dice of float32', async () => {
  await writePhantomDataSet(dataSet, { cases: 12, seed: 3 });
  const options = { dataSet, epochs: 8, children: 1, folds: 4, fold: 0, device: 'cpu', seed: 5 } as const;
  const reached: number[] = [];
  for (const precision of ['fp32', 'bf16'] as const) {
    const { report } = await search({ ...options, out: join(root, precision), precision });
    reached.push(report.test_dice.mean ?? 0);
  }
  const [fp32, bf16] = reached;
  expect(fp32).toBeGreaterThan(0.4);
  expect(bf16).toBeGreaterThan(fp32 - 0.08);
}, 240_000);
