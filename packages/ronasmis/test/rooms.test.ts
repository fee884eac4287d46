import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../src/', import.meta.url));

/** The rooms of the house, the lowest first: a file imports from its own room and from those before it. */
const rooms = [
  'base',
  'recipe',
  'formats',
  'data',
  'preparation',
  'batches',
  'architecture',
  'ranks',
  'engine',
  'network',
  'space',
  'evaluation',
  'download',
  'controller',
  'run',
  'training',
  'inference',
  'report',
  'export',
  'search',
  'systems',
  'compare',
  'study',
  'cli',
];

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.d)\.ts$/.test(file));

/** The files of this package that a file imports, as paths below `src/`. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(source, file), 'utf8');
  const specifiers = text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g);
  return Array.from(specifiers, ([, path]) => relative(source, resolve(source, dirname(file), path)));
}

const roomOf = (file: string): string => file.split('/')[0];

test('every folder is a known room', () => {
  const found = new Set(files.filter((file) => file.includes('/')).map(roomOf));
  expect([...found].filter((room) => !rooms.includes(room))).toEqual([]);
});

test('imports point downwards', () => {
  const upwards = files
    .filter((file) => file.includes('/'))
    .flatMap((file) =>
      importsOf(file)
        .filter((imported) => rooms.indexOf(roomOf(imported)) > rooms.indexOf(roomOf(file)))
        .map((imported) => `${file} imports ${imported}`),
    );
  expect(upwards).toEqual([]);
});

test('no file imports itself by way of others', () => {
  const imports = new Map(files.map((file) => [file, importsOf(file)]));
  const left = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (left.has(file) || path.includes(file)) return;
    for (const imported of imports.get(file) ?? []) visit(imported, [...path, file]);
    left.add(file);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

test('no test imports what was compiled: it would hold for the source of another day', () => {
  const repository = fileURLToPath(new URL('../../../', import.meta.url));
  const tests = [
    'packages/libtorch/test',
    'packages/ronasmis/test',
    'packages/dashboard/test',
    'benchmarks/test',
    'test',
  ].flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|js|mjs)$/.test(file))
      .map((file) => join(folder, file)),
  );
  const compiled = tests.filter((file) => /['"`]\.[^'"`]*\/dist\//.test(readFileSync(join(repository, file), 'utf8')));
  expect(tests.length).toBeGreaterThan(100);
  expect(compiled).toEqual([]);
});
