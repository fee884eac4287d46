import { expect, test } from 'vitest';
import { gpuOf } from '../../src/ranks/gpu.ts';
import type { Rank } from '../../src/ranks/rank.ts';

const rank = (localRank: number, localSize: number | null): Rank => ({
  rank: localRank,
  size: 8,
  localRank,
  localSize,
  host: 'first',
  port: 1,
  servedBy: 'rank 0',
  name: 'run',
});

test.each([
  { title: 'of all GPUs, the one of its number', local: [2, 4], visible: undefined, gpu: '2' },
  { title: 'of those that are named, the one of its number', local: [1, 2], visible: '4, GPU-8f3a', gpu: 'GPU-8f3a' },
  { title: 'its own, where each rank has been given one', local: [3, 4], visible: '0', gpu: undefined },
  { title: 'none, where none is to be seen', local: [1, 2], visible: '', gpu: undefined },
  { title: 'any, of one rank a machine', local: [0, 1], visible: '0,1', gpu: undefined },
  {
    title: 'any, where the launcher says nothing of the machine',
    local: [0, null],
    visible: undefined,
    gpu: undefined,
  },
] as const)('a rank takes $title', ({ local: [localRank, localSize], visible, gpu }) => {
  expect(gpuOf(rank(localRank, localSize), { CUDA_VISIBLE_DEVICES: visible })).toBe(gpu);
});

test('more ranks than GPUs are refused', () => {
  expect(() => gpuOf(rank(2, 3), { CUDA_VISIBLE_DEVICES: '0,1' })).toThrow(
    'CUDA_VISIBLE_DEVICES names 2 GPUs (0,1), but 3 ranks were started on this machine. Start as many ranks as it has GPUs.',
  );
});
