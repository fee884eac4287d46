import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: { alias: { '@ronasmis/libtorch': source('packages/libtorch/src/index.ts') } },
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    // libtorch has one thread pool a process, so test files run in processes, as many as there are cores by halves.
    pool: 'forks',
    testTimeout: 30_000,
  },
});
