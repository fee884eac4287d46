import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The page and all that it loads, into files that the server hands out. */
export default defineConfig({
  root: folder('src/page'),
  // The Content-Security-Policy of the page lets in no script that stands in markup.
  build: {
    outDir: folder('dist/page'),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // The volume viewer, which is loaded where somebody looks at a volume.
    chunkSizeWarningLimit: 4000,
    target: 'es2022',
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
