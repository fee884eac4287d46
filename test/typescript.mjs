// Hooks for Node, which runs no TypeScript before version 22: modules of the packages are taken from their source, without its types.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'rolldown/utils';

/** @type {import('node:module').ResolveHook} */
export function resolve(specifier, context, next) {
  const [found, name = 'index'] = /^@ronasmis\/libtorch(?:\/(.+))?$/.exec(specifier) ?? [];
  if (!found) return next(specifier, context);
  return { url: new URL(`../packages/libtorch/src/${name}.ts`, import.meta.url).href, shortCircuit: true };
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const file = fileURLToPath(url);
  const { code } = transformSync(file, await readFile(file, 'utf8'), { typescript: { onlyRemoveTypeImports: true } });
  return { format: 'module', source: code, shortCircuit: true };
}
