import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * Puts script and style into the page, so that it is one file that opens from the disk, and says by their hashes that nothing else may run: a report
 * holds names of files and labels.
 */
const oneFile: Plugin = {
  name: 'one-file',
  enforce: 'post',
  generateBundle(_, bundle) {
    const page = bundle['index.html'];
    if (page?.type !== 'asset') throw new Error('The page is missing.');
    const hashes = { script: '', style: '' };
    let text = String(page.source);
    for (const [name, part] of Object.entries(bundle)) {
      if (part === page) continue;
      const kind = part.type === 'chunk' ? 'script' : 'style';
      const content = part.type === 'chunk' ? part.code.replaceAll('</script', '<\\/script') : String(part.source);
      const inlined = kind === 'script' ? `<script type="module">${content}</script>` : `<style>${content}</style>`;
      const tags = new RegExp(`<(?:script|link)[^>]*"[./]*${name}"[^>]*>(?:</script>)?`, 'g');
      const found = text.match(tags) ?? [];
      if (found.length !== 1) throw new Error(`${name} stands ${found.length} times in the page.`);
      text = text.replace(tags, () => inlined);
      hashes[kind] = hashOf(content);
      delete bundle[name];
    }
    const policy = `default-src 'none'; script-src ${hashes.script}; style-src ${hashes.style}; img-src data:; base-uri 'none'; form-action 'none'`;
    page.source = text.replace(
      '<meta charset="utf-8">',
      (charset) => `${charset}\n    <meta http-equiv="Content-Security-Policy" content="${policy}">`,
    );
  },
};

/** The page of a report, in which `ronasmis` writes what it tells of a run. */
export default defineConfig({
  root: folder('src/report'),
  plugins: [oneFile],
  build: {
    outDir: folder('dist/report'),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    target: 'es2022',
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
