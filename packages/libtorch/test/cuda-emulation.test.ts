import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { agree, fusedExample } from '../src/kernel-example.ts';
import { native } from '../src/native.ts';
import { compareFusedOperations } from './cuda/comparisons.ts';

// The GPU's kernels, compiled for the processor and launched by the same code, in this test's process alone.
const build = fileURLToPath(new URL('../build/cuda-emulation', import.meta.url));
const source = fileURLToPath(new URL('cuda', import.meta.url));
execFileSync('cmake', ['-S', source, '-B', build], { stdio: 'pipe' });
execFileSync('cmake', ['--build', build], { stdio: 'pipe' });
const ofProcessor = fusedExample('cpu');
native.emulateKernels(`${build}/cuda_emulation.so`);

describe("the GPU's kernels on a processor", () => {
  compareFusedOperations('cpu');

  it('are given work only if they agree with the processor on an example', () => {
    const emulated = fusedExample('cpu');
    expect(emulated.slice(0, 5)).not.toEqual(ofProcessor.slice(0, 5));
    expect(agree(emulated, ofProcessor)).toBe(true);
    ofProcessor.forEach((value, i) => {
      expect(value).not.toBe(0);
      expect(agree(emulated.with(i, 1.01 * value), ofProcessor)).toBe(false);
    });
    expect(agree(emulated.slice(1), ofProcessor)).toBe(false);
    expect(agree(emulated.with(0, Number.NaN), ofProcessor)).toBe(false);
  });
});
