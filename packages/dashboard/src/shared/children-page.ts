import type { ChildFigures, ChildrenPage, ChildSort } from './messages.ts';

/** What a part of the table is asked for by. */
export interface PageQuery {
  readonly sort: ChildSort;
  readonly ascending: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** A part of the table of children; those without a value come last. */
export function childrenPage(
  children: readonly ChildFigures[],
  { sort, ascending, offset, limit }: PageQuery,
): ChildrenPage {
  const sign = ascending ? 1 : -1;
  const missing = sign * Number.POSITIVE_INFINITY;
  const figureOf = (child: ChildFigures): number => child[sort] ?? missing;
  const order = (one: ChildFigures, other: ChildFigures): number => {
    const [a, b] = [figureOf(one), figureOf(other)];
    return a === b ? one.step - other.step || one.index - other.index : sign * (a < b ? -1 : 1);
  };
  return { total: children.length, children: children.toSorted(order).slice(offset, offset + limit) };
}
