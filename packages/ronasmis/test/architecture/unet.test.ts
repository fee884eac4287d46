import { describe, expect, test } from 'vitest';
import { architectureSchema } from '../../src/architecture/architecture.ts';
import { unetSchema } from '../../src/architecture/unet.ts';

const unet = {
  kind: 'unet',
  patch: { depth: 20, height: 320, width: 256 },
  batch: 2,
  features: [32, 64, 128],
  kernels: [
    [1, 3, 3],
    [1, 3, 3],
    [3, 3, 3],
  ],
  strides: [
    [1, 1, 1],
    [1, 2, 2],
    [2, 2, 2],
  ],
  encoder: { block: 'convolutions', counts: [2, 2, 2] },
  decoder: { block: 'residual', counts: [1, 1] },
};

/** What is said of it; undefined where it is one. */
const complaint = (change: Readonly<Record<string, unknown>>): string | undefined =>
  unetSchema.safeParse({ ...unet, ...change }).error?.issues[0].message;

test('a U-Net is kept as it is', () => {
  expect(unetSchema.parse(JSON.parse(JSON.stringify(unet)))).toEqual(unet);
});

test('a U-Net is told from a child by its kind, and other kinds there are not', () => {
  expect(architectureSchema.parse(unet)).toEqual(unet);
  expect(architectureSchema.safeParse({ ...unet, kind: 'transformer' }).success).toBe(false);
});

describe('what is none is refused', () => {
  test.each([
    { features: [32, 64] },
    { kernels: unet.kernels.slice(1) },
    { strides: unet.strides.slice(0, 2) },
    { encoder: { ...unet.encoder, counts: [2, 2] } },
    { decoder: { ...unet.decoder, counts: [1, 1, 1] } },
  ])('lists of different lengths: %j', (change) => {
    expect(complaint(change)).toMatch(/as many kernels, strides and counts of the encoder as features/);
  });

  test('a stride before the first stage', () => {
    expect(complaint({ strides: [[1, 2, 2], ...unet.strides.slice(1)] })).toMatch(/first stage .* its stride is 1/);
  });

  test.each([
    ['kernels of other sizes', { kernels: [[1, 3, 5], ...unet.kernels.slice(1)] }],
    [
      'one stage',
      { features: [32], kernels: [[3, 3, 3]], strides: [[1, 1, 1]], decoder: { block: 'residual', counts: [] } },
    ],
    ['strides that are not whole', { strides: [...unet.strides.slice(0, 2), [1, 1.5, 2]] }],
    ['other blocks', { encoder: { ...unet.encoder, block: 'bottleneck' } }],
    ['fields that it does not have', { dropout: 0.5 }],
  ])('%s', (_, change) => {
    expect(complaint(change)).toBeDefined();
  });
});
