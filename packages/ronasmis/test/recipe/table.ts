import type { Difference } from '../../src/recipe/recipe.ts';

function cell(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'number') return String(Number(value.toPrecision(3)));
  return Array.isArray(value) ? value.join(' to ') : String(value);
}

/** The differences of the published recipe from the default one, as docs/search.md has them. */
export function recipeTable(differing: readonly Difference[]): string {
  const rows = differing.map(
    ({ section, name, value, other, unit, source }) =>
      `| \`${section}.${name}\` | ${cell(other)} | ${cell(value)} | ${unit} | ${source} |`,
  );
  return [
    '| constant | default | paper | what it counts | source of the default |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
