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
])('refuses %s that have not one a stage', (_, change) => {
  const { error } = architectureSchema.safeParse({ ...unet, ...change });
  expect(error?.issues.map(({ message }) => message).join()).toMatch(/has as many kernels, strides and counts/);
});

it('refuses a kind that there is not', () => {
  expect(architectureSchema.safeParse({ ...unet, kind: 'transformer' }).success).toBe(false);
});

it('refuses a first stage that is smaller than the full resolution', () => {
  const strides = [[2, 2, 2], ...unet.strides.slice(1)];
  expect(architectureSchema.safeParse({ ...unet, strides }).success).toBe(false);
});
