import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const folder = fileURLToPath(new URL('../', import.meta.url));
const manifestSchema = z.object({
  exports: z.record(z.string(), z.object({ types: z.string(), default: z.string() })),
});
const manifest = manifestSchema.parse(JSON.parse(readFileSync(resolve(folder, 'package.json'), 'utf8')));

/** The source that an entry point is compiled from. */
const sourceOf = (built: string): string =>
  resolve(folder, built.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts'));

/** What loading a file loads with it: our files, and packages by their names. What is of types alone is gone when it is compiled. */
function loadedBy(entry: string): { readonly files: readonly string[]; readonly packages: ReadonlySet<string> } {
  const files: string[] = [];
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.includes(file)) return;
    files.push(file);
    const text = readFileSync(file, 'utf8');
    for (const [, specifier] of text.matchAll(/^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)';/gm)) {
      if (specifier.startsWith('.')) visit(resolve(dirname(file), specifier));
      else packages.add(specifier);
    }
  };
  visit(entry);
  return { files: files.map((file) => relative(folder, file)), packages };
}

describe.each(Object.entries(manifest.exports))('%s', (name, { types, default: built }) => {
  it('is made from a source that is there', () => {
    expect(types).toBe(built.replace(/\.js$/, '.d.ts'));
    expect(existsSync(sourceOf(built))).toBe(true);
  });

  const needsLibtorch = !['./run', './data', './report'].includes(name);
  it(needsLibtorch ? 'computes with libtorch' : 'loads no libtorch', () => {
    expect(loadedBy(sourceOf(built)).packages.has('@ronasmis/libtorch')).toBe(needsLibtorch);
  });
});

it('the files of a run are read without what makes them', () => {
  const { files } = loadedBy(sourceOf(manifest.exports['./run'].default));
  const rooms = new Set(files.map((file) => file.split('/')[1]));
  expect(rooms).toContain('run');
  expect(['preparation', 'network', 'training', 'controller', 'search'].filter((room) => rooms.has(room))).toEqual([]);
});
