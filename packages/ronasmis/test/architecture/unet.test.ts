import { expect, it } from 'vitest';
import { architectureSchema } from '../../src/architecture/architecture.ts';
import { unet } from './unet.ts';

it('a U-Net is told from a child by its kind', () => {
  expect(architectureSchema.parse(JSON.parse(JSON.stringify(unet)))).toEqual(unet);
});

it.each([
  ['features', { features: [4, 8] }],
  ['kernels', { kernels: [[3, 3, 3]] }],
  ['strides', { strides: [[1, 1, 1]] }],
  ['encoder', { encoder: { block: 'convolutions', counts: [2, 2] } }],
  ['decoder', { decoder: { block: 'residual', counts: [2, 2, 2] } }],
])('refuses %s that have not an entry a stage', (_, change) => {
  const { error } = architectureSchema.safeParse({ ...unet, ...change });
  expect(error?.issues.map(({ message }) => message).join()).toMatch(/an entry a stage/);
});

it('refuses a kind that there is not', () => {
  expect(architectureSchema.safeParse({ ...unet, kind: 'transformer' }).success).toBe(false);
});
