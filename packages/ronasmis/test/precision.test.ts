import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeEngine } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import { choosePrecision, fasterPrecision, precisionTimings } from '../src/precision.ts';
import { temporaryFolder } from './data/scans.ts';

const engine = describeEngine();
const folder = await temporaryFolder();

describe('choosePrecision', () => {
  it('takes what is asked for, else the faster one', async () => {
    expect(await choosePrecision('bf16', 'cpu', engine)).toBe('bf16');
    expect(fasterPrecision({ fp32: 2, bf16: 1, fp16: null })).toBe('bf16');
    expect(fasterPrecision({ fp32: 1, bf16: 2, fp16: null })).toBe('fp32');
    expect(fasterPrecision({ fp32: 1, bf16: null, fp16: null })).toBe('fp32');
  });

  it('stays with float32 where another precision is hardly faster', () => {
    expect(fasterPrecision({ fp32: 0.03028, bf16: 0.03008, fp16: null })).toBe('fp32');
    expect(fasterPrecision({ fp32: 1, bf16: 0.85, fp16: null })).toBe('bf16');
    expect(fasterPrecision({ fp32: 1, bf16: 1.1, fp16: 0.95 })).toBe('fp32');
  });

  it('takes float16, whose losses must be scaled, only where bfloat16 is clearly slower', () => {
    expect(fasterPrecision({ fp32: 4, bf16: 1.2, fp16: 1 })).toBe('bf16');
    expect(fasterPrecision({ fp32: 4, bf16: 2, fp16: 1 })).toBe('fp16');
    expect(fasterPrecision({ fp32: 4, bf16: null, fp16: 1 })).toBe('fp16');
    expect(fasterPrecision({ fp32: 1, bf16: 1.1, fp16: 0.85 })).toBe('fp16');
    expect(fasterPrecision({ fp32: 1, bf16: 2, fp16: 3 })).toBe('fp32');
  });

  it('refuses float16 where there is no NVIDIA GPU', async () => {
    await expect(choosePrecision('fp16', 'cpu', engine)).rejects.toThrow(/--precision fp16 is for NVIDIA GPUs/);
  });
});

describe('precisionTimings', () => {
  it('measures a machine once, and another libtorch again', async () => {
    const cache = join(folder, 'new', 'cache');
    const first = await precisionTimings('cpu', engine, cache);
    expect(first.fp32).toBeGreaterThan(0);
    const kept = JSON.parse(await readFile(join(cache, 'precision.json'), 'utf8'));
    expect(Object.values(kept)).toEqual([first]);
    expect(await precisionTimings('cpu', engine, cache)).toEqual(first);
    await precisionTimings('cpu', { ...engine, version: '9.9.9' }, cache);
    expect(Object.keys(JSON.parse(await readFile(join(cache, 'precision.json'), 'utf8')))).toHaveLength(2);
  });

  it('measures again where the cache is damaged or cannot be written', async () => {
    await writeFile(join(folder, 'precision.json'), '{"cpu": tru');
    expect((await precisionTimings('cpu', engine, folder)).fp32).toBeGreaterThan(0);
    const file = join(folder, 'precision.json');
    expect((await precisionTimings('cpu', engine, join(file, 'below'))).fp32).toBeGreaterThan(0);
  });
});
