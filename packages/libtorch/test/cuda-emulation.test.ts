import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { native } from '../src/native.ts';
import { compareFusedOperations } from './cuda/comparisons.ts';

// The GPU's kernels, compiled for the processor and launched by the same code, in this test's process alone.
const build = fileURLToPath(new URL('../build', import.meta.url));
execFileSync('cmake', ['--build', build, '--target', 'cuda_emulation'], { stdio: 'pipe' });
native.emulateKernels(`${build}/cuda_emulation.so`);

describe("the GPU's kernels on a processor", () => {
  compareFusedOperations('cpu');
});
