import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { threadsFromSource } from './test/from-source.ts';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@ronasmis\/libtorch$/, replacement: source('packages/libtorch/src/index.ts') },
      { find: /^@ronasmis\/libtorch\/(.+)$/, replacement: source('packages/libtorch/src/$1.ts') },
      { find: /^ronasmis$/, replacement: source('packages/ronasmis/src/index.ts') },
      { find: /^ronasmis\/internal$/, replacement: source('packages/ronasmis/src/internal.ts') },
      { find: /^ronasmis\/(.+)$/, replacement: source('packages/ronasmis/src/$1/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'benchmarks/test/**/*.test.ts'],
    // Test files run side by side in processes of their own; a libtorch that took all cores in each would wait for the others.
    pool: 'forks',
    execArgv: [...threadsFromSource],
    globalSetup: 'test/build.mjs',
    env: { OMP_NUM_THREADS: '1' },
    // Against what hangs. No test needs a quarter of it by itself, but other work may take most of the machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
