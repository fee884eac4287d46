import { expect, test } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';

import { type Batches, openBatches } from '../../src/batches/batches.ts';
import { type BatchPlan, type CropSource, fillBatch } from '../../src/batches/fill-batch.ts';

const shape: Triple = [5, 6, 7];
const inMemory: CropSource = {
  channels: 2,
  shape,
  storage: {
    kind: 'memory',
    image: new Float32Array(new SharedArrayBuffer(4 * 420)).map((_, i) => i + 1),
    label: new Uint8Array(new SharedArrayBuffer(210)).map((_, i) => i % 3),
  },
};
const lost: CropSource = {
  channels: 1,
  shape,
  storage: { kind: 'disk', imageFile: 'lost.image', labelFile: 'lost.label' },
};

const planOf = (index: number, patch: Triple, offset: Triple): BatchPlan => ({
  patch,
  crops: [
    { case: index, offset, flip: [] },
    { case: index, offset: [0, 0, 0], flip: ['width'] },
  ],
});

async function withBatches(cases: readonly CropSource[], use: (batches: Batches) => Promise<void>): Promise<void> {
  const batches = openBatches(cases);
  try {
    await use(batches);
  } finally {
    await batches.close();
  }
}

test('a thread fills batches of any patch, in the order they were requested', () =>
  withBatches([inMemory], async (batches) => {
    const plans = [planOf(0, [2, 2, 2], [1, 1, 1]), planOf(0, [4, 8, 4], [0, -1, 3]), planOf(0, [1, 2, 3], [2, 2, 2])];
    for (const plan of plans) batches.request(plan);
    for (const plan of plans) {
      const batch = await batches.next();
      const voxels = 2 * plan.patch[0] * plan.patch[1] * plan.patch[2];
      const expected = { image: new Float32Array(2 * voxels), label: new Uint8Array(voxels) };
      fillBatch([inMemory], plan, expected);
      expect(batch.plan).toEqual(plan);
      expect([...batch.image]).toEqual([...expected.image]);
      expect([...batch.label]).toEqual([...expected.label]);
      expect(batch.image.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  }));

test('released memory is used again, memory in use is not', () =>
  withBatches([inMemory], async (batches) => {
    const take = () => {
      batches.request(planOf(0, [2, 2, 2], [0, 0, 0]));
      return batches.next();
    };
    const first = await take();
    const second = await take();
    expect(second.image.buffer).not.toBe(first.image.buffer);
    first.release();
    expect((await take()).image.buffer).toBe(first.image.buffer);
  }));

test('what the thread fails at rejects that batch alone', () =>
  withBatches([inMemory, lost], async (batches) => {
    batches.request(planOf(1, [2, 2, 2], [0, 0, 0]));
    batches.request(planOf(0, [2, 2, 2], [0, 0, 0]));
    await expect(batches.next()).rejects.toThrow('lost.image');
    expect((await batches.next()).plan.crops).toHaveLength(2);
    await expect(batches.next()).rejects.toThrow('No batch was requested.');
  }));

test('a closed thread rejects what is asked of it', async () => {
  const batches = openBatches([inMemory]);
  await batches.close();
  batches.request(planOf(0, [2, 2, 2], [0, 0, 0]));
  await expect(batches.next()).rejects.toThrow('The thread that makes batches has ended.');
});
