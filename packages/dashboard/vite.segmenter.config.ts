import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The page that segments scans itself, as files for any folder of any server: `ronasmis export --format web` puts a network beside them. */
export default defineConfig({
  root: folder('src/segmenter'),
  base: './',
  resolve: {
    // ONNX Runtime's own threads load a file of its own: bundled with it, they would run the page's worker as well.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
    alias: [
      // What `predict` runs, on tensors in plain JavaScript in place of libtorch's.
      { find: 'ronasmis/segmenter', replacement: folder('../ronasmis/src/segmenter.ts') },
      { find: '@ronasmis/libtorch', replacement: folder('src/segmenter/libtorch/index.ts') },
      { find: 'node:path', replacement: folder('src/segmenter/path.ts') },
    ],
  },
  worker: {
    format: 'es',
    rolldownOptions: {
      output: {
        // Some servers do not know that `.mjs` is a script.
        assetFileNames: ({ names }) =>
          `assets/[name]-[hash]${names.some((name) => name.endsWith('.mjs')) ? '.js' : '[extname]'}`,
      },
    },
  },
  build: {
    outDir: folder('dist/segmenter'),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    target: 'es2022',
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
