import { expect, it } from 'vitest';
import { hardwareOf } from '../../src/compare/hardware.ts';

const cpu = { name: 'A processor', threads: 2, capability: 'AVX2', bf16: 'none' } as const;

it('is the processor with its threads, or a GPU', async () => {
  expect(await hardwareOf('cpu', { cpu })).toBe('A processor, 2 threads');
  expect(await hardwareOf('mps', { cpu: { ...cpu, name: 'Apple M4' } })).toBe('GPU of Apple M4');
  // By its name where there is one, and nvidia-smi tells it.
  expect(await hardwareOf('cuda', { cpu })).toMatch(/\w/);
});
