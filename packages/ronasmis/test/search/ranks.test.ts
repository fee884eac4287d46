import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { fromSource } from '../../../../test/from-source.ts';
import { createRandom } from '../../src/base/random.ts';
import { freePort } from '../../src/ranks/free-port.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';

const root = await temporaryFolder();
const cases = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, i) => boxCase(name, createRandom(i), [16, 16, 16]));
const dataSet = await writeDataSet(join(root, 'Boxes'), cases);
const script = fileURLToPath(new URL('rank.ts', import.meta.url));
const steps = 20;
const saidSchema = z.object({ losses: z.array(z.number()), tensors: z.number(), weights: z.string() });

/** What each of so many ranks says of the same training. */
async function trainedBy(size: number): Promise<readonly z.infer<typeof saidSchema>[]> {
  const port = String(await freePort());
  const variables = { WORLD_SIZE: String(size), MASTER_ADDR: '127.0.0.1', MASTER_PORT: port };
  const started = Array.from({ length: size }, async (_, rank) => {
    const env = size === 1 ? process.env : { ...process.env, ...variables, RANK: String(rank) };
    const words = [...fromSource, script, dataSet, join(root, `of-${size}`), String(steps)];
    const { stdout } = await promisify(execFile)(process.execPath, words, { env });
    return saidSchema.parse(JSON.parse(stdout));
  });
  return Promise.all(started);
}

// Seven processes, each of which loads libtorch and trains: some 20 s of one core.
it('1, 2 and 4 ranks train alike: the losses within rounding, and the weights of all ranks to the bit', async () => {
  const [one] = await trainedBy(1);
  expect(one.losses).toHaveLength(steps);
  for (const size of [2, 4]) {
    const ranks = await trainedBy(size);
    for (const { weights, losses, tensors } of ranks) {
      expect([size, weights]).toEqual([size, ranks[0].weights]);
      // No more than one process has: nothing is left of what was exchanged.
      expect(tensors).toBe(one.tensors);
      const differences = losses.map((loss, at) => Math.abs(loss - one.losses[at]));
      // The last digits differ at first; what comes of them grows, as it does between any two orders of summing up.
      expect(Math.max(...differences.slice(0, 6))).toBeLessThan(1e-6);
      expect(Math.max(...differences)).toBeLessThan(1e-3);
    }
  }
}, 300_000);
