import { execFileSync, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describeEngine } from '@ronasmis/libtorch';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fromSource } from '../../../../test/from-source.ts';
import { cacheFolder, choosePrecision, fasterPrecision, precisionTimings } from '../../src/engine/precision.ts';
import { temporaryFolder } from '../formats/scans.ts';

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

  it('does not measure bfloat16 where a processor has no units for it, and does so where it has', async () => {
    const withUnits = (bf16: typeof engine.cpu.bf16) => ({ ...engine, cpu: { ...engine.cpu, bf16 } });
    const cache = join(folder, 'units');
    expect((await precisionTimings('cpu', withUnits('none'), cache)).bf16).toBeNull();
    expect(await choosePrecision('auto', 'cpu', withUnits('none'))).toBe('fp32');
    expect((await precisionTimings('cpu', withUnits('amx'), cache)).bf16).toBeGreaterThan(0);
  });

  it('measures again where the cache is damaged or cannot be written', async () => {
    await writeFile(join(folder, 'precision.json'), '{"cpu": tru');
    expect((await precisionTimings('cpu', engine, folder)).fp32).toBeGreaterThan(0);
    const file = join(folder, 'precision.json');
    expect((await precisionTimings('cpu', engine, join(file, 'below'))).fp32).toBeGreaterThan(0);
  });
});

it.runIf(process.platform !== 'win32')('does not wait for a pipe in place of the cache', async () => {
  const cache = await temporaryFolder();
  execFileSync('mkfifo', [join(cache, 'precision.json')]);
  expect((await precisionTimings('cpu', engine, cache)).fp32).toBeGreaterThan(0);
});

describe('cacheFolder', () => {
  afterEach(() => vi.unstubAllEnvs());

  it("is the user's, as the XDG specification has it: relative paths do not count", () => {
    vi.stubEnv('XDG_CACHE_HOME', '/caches');
    expect(cacheFolder()).toBe('/caches/ronasmis');
    for (const none of ['', 'caches']) {
      vi.stubEnv('XDG_CACHE_HOME', none);
      expect(cacheFolder()).toBe(join(homedir(), '.cache/ronasmis'));
    }
    vi.stubEnv('HOME', 'relative');
    expect(cacheFolder()).toBeUndefined();
  });

  it('may be missing', async () => {
    expect((await precisionTimings('cpu', engine, undefined)).fp32).toBeGreaterThan(0);
    vi.stubEnv('XDG_CACHE_HOME', undefined);
    vi.stubEnv('HOME', '/dev/null');
    expect((await precisionTimings('cpu', engine)).fp32).toBeGreaterThan(0);
  });

  it.runIf(process.getuid?.() === 0)('is missing for a user without a home whom the system does not know', () => {
    const module = new URL('../../src/engine/precision.ts', import.meta.url).href;
    const program = `import { cacheFolder } from '${module}'; console.log(cacheFolder());`;
    const options = { uid: 54321, gid: 54321, cwd: '/', env: { PATH: process.env.PATH }, encoding: 'utf8' } as const;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...fromSource, '--input-type=module', '-e', program],
      options,
    );
    expect(stderr + stdout).toBe('undefined\n');
  });
});
