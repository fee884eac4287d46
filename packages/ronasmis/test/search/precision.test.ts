import { join } from 'node:path';
import { describeEngine } from '@ronasmis/libtorch';
import { expect, it } from 'vitest';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import type { Precision } from '../../src/engine/device.ts';
import { search } from '../../src/search/search.ts';
import { temporaryFolder } from '../formats/scans.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Phantom');
await writePhantomDataSet(dataSet, { cases: 12, seed: 3 });

/** Test Dice of the same short search in each precision. */
async function reached(device: 'cpu' | 'cuda', precisions: readonly Precision[]): Promise<readonly number[]> {
  const dice: number[] = [];
  for (const precision of precisions) {
    const out = join(root, `${device} ${precision}`);
    const options = {
      dataSet,
      out,
      epochs: 8,
      children: 1,
      controller: 'reinforce',
      space: 'macro',
      augment: 'off',
      folds: 4,
      fold: 0,
      device,
      precision,
      seed: 5,
    } as const;
    dice.push((await search(options)).report.test_dice.mean ?? 0);
  }
  return dice;
}

// A minute and more where the processor has no units for bfloat16, for it trains twice until there is something to compare.
it('trained in bfloat16, a network reaches the Dice of float32', async () => {
  const [fp32, bf16] = await reached('cpu', ['fp32', 'bf16']);
  expect(fp32).toBeGreaterThan(0.4);
  expect(bf16).toBeGreaterThan(fp32 - 0.08);
}, 240_000);

it.skipIf(!describeEngine().cuda.loaded)(
  'so does one on an NVIDIA GPU, in float16 too, with scaled losses',
  async () => {
    const [fp32, ...others] = await reached('cuda', ['fp32', 'bf16', 'fp16']);
    expect(fp32).toBeGreaterThan(0.4);
    for (const dice of others) expect(dice).toBeGreaterThan(fp32 - 0.08);
  },
  240_000,
);
