import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { describeEngine } from '../src/index.ts';
import { compilerCandidates, loadKernelCompiler } from '../src/kernels.ts';
import { native } from '../src/native.ts';
import { compareFusedOperations } from './cuda/comparisons.ts';

const { cuda } = describeEngine();

describe.skipIf(!cuda.loaded)('on an NVIDIA GPU (skipped where libtorch finds none)', () => {
  it('the fused operations have kernels', () => {
    expect(cuda.fusedKernelsReason).toBeUndefined();
    expect(cuda.fusedKernels).toBe(true);
  });

  compareFusedOperations('cuda', [1, 4, 128, 256, 257]);
});

const missing = loadKernelCompiler();

describe.skipIf(missing !== undefined)(
  'NVRTC, which needs no GPU (skipped where none is found; RONASMIS_NVRTC names one)',
  () => {
    it.each([75, 80, 86, 90])(
      'compiles all kernels for compute capability %i',
      (capability) => {
        expect(native.compileKernels(capability)).toBe(18);
      },
      120_000,
    );

    it('says what it cannot compile, and for what', () => {
      expect(() => native.compileKernels(30)).toThrow(
        /cannot compile instance_norm\.cu for compute capability 3\.0 .*gpu-architecture/s,
      );
    });
  },
);

it('NVRTC is looked for where RONASMIS_NVRTC says, then beside libtorch, then where the system has it', () => {
  const root = mkdtempSync(join(tmpdir(), 'nvrtc-'));
  const torch = join(root, 'torch');
  const beside = join(root, 'nvidia/cu13/lib');
  try {
    for (const folder of [join(torch, 'lib'), beside]) mkdirSync(folder, { recursive: true });
    for (const name of ['libnvrtc.so.13', 'libnvrtc.alt.so.13', 'libnvrtc-builtins.so.13.2', 'libcudart.so.13'])
      writeFileSync(join(beside, name), '');
    writeFileSync(join(torch, 'lib/libnvrtc-0a1b2c3d.so.12'), '');
    vi.stubEnv('RONASMIS_NVRTC', '/opt/libnvrtc.so');
    expect(compilerCandidates(torch)).toEqual([
      '/opt/libnvrtc.so',
      join(torch, 'lib/libnvrtc-0a1b2c3d.so.12'),
      join(beside, 'libnvrtc.so.13'),
      'libnvrtc.so.13',
      'libnvrtc.so.12',
    ]);
  } finally {
    vi.unstubAllEnvs();
    rmSync(root, { recursive: true });
  }
});

it.skipIf(missing === undefined)('without NVRTC, the reason is that of the best candidate', () => {
  expect(missing).toContain(compilerCandidates()[0]);
});

it.skipIf(cuda.loaded)('without a GPU, no kernels are claimed for one', () => {
  expect(cuda.fusedKernels).toBe(false);
  expect(cuda.fusedKernelsReason).toBeUndefined();
});
