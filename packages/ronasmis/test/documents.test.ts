import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { run } from './cli/run.ts';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));

const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'benchmarks/README.md',
  ...readdirSync(join(checkout, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

/** What a reader sees of a document: no comments. */
const textOf = (document: string): string =>
  readFileSync(join(checkout, document), 'utf8').replaceAll(/<!--.*?-->/gs, '');

/** What is not code: words, links and code spans. */
const proseOf = (document: string): string => textOf(document).replaceAll(/^```.*?^```/gms, '');

/** Every file of the project, from its root. */
const files = ['packages', 'examples', 'benchmarks', 'scripts', 'docs', 'test', '.ci'].flatMap((folder) =>
  walk(folder),
);

function walk(folder: string): readonly string[] {
  const made = ['node_modules', 'dist', 'build', 'api'];
  if (!existsSync(join(checkout, folder))) return [];
  return readdirSync(join(checkout, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return made.includes(entry.name) ? [] : walk(path);
  });
}

/** What a heading is linked by, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

const anchorsOf = (document: string): readonly string[] =>
  Array.from(proseOf(document).matchAll(/^#+ (.+)$/gm), ([, heading]) => anchorOf(heading));

describe.each(documents)('%s', (document) => {
  it('links to what is there', () => {
    const links = Array.from(proseOf(document).matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link);
    const broken = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path, anchor] = link.split('#');
        const target = path === '' ? document : relative(checkout, resolve(checkout, dirname(document), path));
        if (!existsSync(join(checkout, target))) return true;
        return anchor !== undefined && !anchorsOf(target).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('names source files that are there', () => {
    // The end of a path is enough: `network/child.ts`.
    const named = Array.from(proseOf(document).matchAll(/`([\w./-]+\.(?:ts|mjs|cc|cu|h|py))`/g), ([, path]) => path);
    expect(named.filter((path) => !files.some((file) => file === path || file.endsWith(`/${path}`)))).toEqual([]);
  });
});

test('the map has every room', () => {
  const [, rooms] = textOf('ARCHITECTURE.md').split('## The rooms');
  const listed = Array.from(rooms.split('\n## ')[0].matchAll(/^\| `(\w+)` \|/gm), ([, room]) => room);
  const source = join(checkout, 'packages/ronasmis/src');
  const found = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(listed.toSorted()).toEqual(found.map(({ name }) => name).toSorted());
});

test('source files name documents that are there', () => {
  const sources = files.filter((file) => /\.(?:ts|mjs|cc|h|py)$/.test(file) && !file.endsWith('documents.test.ts'));
  const gone = sources.flatMap((file) =>
    Array.from(readFileSync(join(checkout, file), 'utf8').matchAll(/\bdocs\/[\w/-]+\.md\b/g), ([path]) => path)
      .filter((path) => !existsSync(join(checkout, path)))
      .map((path) => `${file}: ${path}`),
  );
  expect(gone).toEqual([]);
});

describe('commands', () => {
  const help = new Map<string, string>();

  beforeAll(async () => {
    const { stdout } = await run('--help');
    const verbs = Array.from(stdout.matchAll(/^ {2}(\w+) /gm), ([, verb]) => verb).filter((verb) => verb !== 'help');
    for (const verb of verbs) help.set(verb, (await run(verb, '--help')).stdout);
  });

  const knows = (verb: string, option: string): boolean => new RegExp(`${option}(?![a-z-])`).test(help.get(verb) ?? '');

  /** Lines of shells, and code spans in the text. */
  const code = documents.flatMap((document) => {
    const blocks = Array.from(textOf(document).matchAll(/^```sh\n(.*?)^```/gms), ([, block]) =>
      block.split('\n'),
    ).flat();
    const spans = Array.from(proseOf(document).matchAll(/`([^`\n]+)`/g), ([, span]) => span);
    return [...blocks, ...spans].map((line) => ({ document, line: line.replace(/\s#.*/, '') }));
  });

  it('use verbs that there are', () => {
    const called = code.flatMap(({ document, line }) =>
      Array.from(line.matchAll(/(?:npx ronasmis|npm start --|^ronasmis) ([a-z]+)/g), ([, verb]) => ({
        document,
        verb,
      })),
    );
    expect(called.map(({ verb }) => verb)).toEqual(expect.arrayContaining(['search', 'predict', 'study', 'export']));
    expect(called.filter(({ verb }) => !help.has(verb))).toEqual([]);
  });

  it('give verbs options that their --help knows', () => {
    const unknown = code.flatMap(({ document, line }) => {
      const [, verb = '', rest = ''] = /^(?:npx ronasmis |npm start -- |ronasmis )?([a-z]+)( .*)$/.exec(line) ?? [];
      if (!help.has(verb)) return [];
      const options = Array.from(rest.matchAll(/--[a-z-]+/g), ([option]) => option);
      return options.filter((option) => !knows(verb, option)).map((option) => `${document}: ${verb} ${option}`);
    });
    expect(unknown).toEqual([]);
  });

  it('have no options that no verb knows', () => {
    const unknown = code.flatMap(({ document, line }) =>
      Array.from(line.startsWith('--') ? line.matchAll(/--[a-z-]+/g) : [], ([option]) => option)
        .filter((option) => ![...help.keys()].some((verb) => knows(verb, option)))
        .map((option) => `${document}: ${option}`),
    );
    expect(unknown).toEqual([]);
  });

  it('of search: the reference has every option, and no others', () => {
    const page = textOf('docs/reference/search-options.md');
    const listed = Array.from(page.matchAll(/^\| `(--[a-z-]+)/gm), ([, option]) => option);
    const offered = Array.from(
      help.get('search')?.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm) ?? [],
      ([, option]) => option,
    );
    expect(listed.toSorted()).toEqual(offered.filter((option) => option !== '--help').toSorted());
  });
});
