import fc from 'fast-check';
import { mutated } from './harness.ts';

/** Values that a schema may not have thought of. */
const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    '__proto__',
    'x'.repeat(10_000),
    'a\nb\u0000',
    '\ud800',
    '../../..',
    '\u001b[31m',
  ),
  fc.constantFrom<unknown>(0, -1, 1.5, 255, 256, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, -1e308, 5e-324),
  fc.constantFrom<unknown>(
    [],
    {},
    [null],
    { 0: 0 },
    JSON.parse('{"__proto__": {"name": 1}}'),
    JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`),
  ),
  fc.jsonValue(),
);

type Change =
  | { readonly kind: 'replace'; readonly place: number; readonly value: unknown }
  | { readonly kind: 'remove'; readonly place: number }
  | { readonly kind: 'rename'; readonly place: number; readonly name: string };

/** JSON documents with up to four values or keys replaced, renamed or removed, or with their text changed as any file's. */
export function mutatedJson(seeds: readonly unknown[]): fc.Arbitrary<Uint8Array> {
  const place = fc.nat();
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constant('replace' as const), place, value: odd }),
    fc.record({ kind: fc.constant('remove' as const), place }),
    fc.record({ kind: fc.constant('rename' as const), place, name: fc.oneof(fc.string(), fc.constant('__proto__')) }),
  );
  const documents = fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { maxLength: 4 }))
    .map(([seed, changes]) => Buffer.from(JSON.stringify(changes.reduce(changed, seed))));
  return fc.oneof(documents, mutated(seeds.map((seed) => Buffer.from(JSON.stringify(seed)))));
}

/** The document with one of its values, the whole being the first, changed. */
function changed(document: unknown, change: Change): unknown {
  const place = change.place % countOf(document);
  if (place === 0) return change.kind === 'replace' ? change.value : document;
  return changedWithin(document, place - 1, change);
}

/** @param place of the value among those within `value`, from 0 */
function changedWithin(value: unknown, place: number, change: Change): unknown {
  let before = 0;
  const entries = childrenOf(value).flatMap(([name, child]): [string, unknown][] => {
    const inside = place - before;
    const count = countOf(child);
    before += count;
    if (inside < 0 || inside >= count) return [[name, child]];
    if (inside > 0) return [[name, changedWithin(child, inside - 1, change)]];
    if (change.kind === 'remove') return [];
    return change.kind === 'rename' ? [[change.name, child]] : [[name, change.value]];
  });
  return Array.isArray(value) ? entries.map(([, child]) => child) : Object.fromEntries(entries);
}

function childrenOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** How many values a value is: itself and all within. */
function countOf(value: unknown): number {
  return childrenOf(value).reduce((sum, [, child]) => sum + countOf(child), 1);
}
