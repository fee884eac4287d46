import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contourPath } from '../../src/report/contours.ts';

type Piece = readonly [number, number, number, number];

/** The pieces of a path, each from one point to another. */
function piecesOf(path: string): readonly Piece[] {
  return [...path.matchAll(/M([-\d.]+) ([-\d.]+)L([-\d.]+) ([-\d.]+)/g)].map(([, ...ends]): Piece => {
    const [a, b, c, d] = ends.map(Number);
    return [a, b, c, d];
  });
}

const labels = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
  .chain(([height, width]) =>
    fc
      .array(fc.integer({ min: 0, max: 2 }), { minLength: height * width, maxLength: height * width })
      .map((values) => ({ height, width, values: Uint8Array.from(values) })),
  );

describe('contourPath', () => {
  it('is a diamond around a single pixel', () => {
    const pieces = piecesOf(contourPath(Uint8Array.of(0, 0, 0, 0, 7, 0, 0, 0, 0), 3, 3, 7));
    expect(new Set(pieces.flatMap(([a, b, c, d]) => [`${a} ${b}`, `${c} ${d}`]))).toEqual(
      new Set(['1.5 1', '2 1.5', '1.5 2', '1 1.5']),
    );
    expect(pieces).toHaveLength(4);
  });

  it('is closed: a piece ends where another begins, whatever the label and wherever it touches the border', () => {
    fc.assert(
      fc.property(labels, ({ height, width, values }) => {
        const ends = new Map<string, number>();
        for (const [a, b, c, d] of piecesOf(contourPath(values, height, width, 1))) {
          for (const end of [`${a} ${b}`, `${c} ${d}`]) ends.set(end, (ends.get(end) ?? 0) + 1);
        }
        expect([...ends.values()].every((count) => count === 2)).toBe(true);
      }),
    );
  });

  it('crosses exactly between the neighbours of which one has the label', () => {
    fc.assert(
      fc.property(labels, ({ height, width, values }) => {
        const at = (row: number, column: number) =>
          row >= 0 && column >= 0 && row < height && column < width && values[row * width + column] === 1;
        const expected = new Set<string>();
        for (let row = -1; row <= height; row++) {
          for (let column = -1; column <= width; column++) {
            if (at(row, column) !== at(row, column + 1)) expected.add(`${column + 1} ${row + 0.5}`);
            if (at(row, column) !== at(row + 1, column)) expected.add(`${column + 0.5} ${row + 1}`);
          }
        }
        const found = piecesOf(contourPath(values, height, width, 1)).flatMap(([a, b, c, d]) => [
          `${a} ${b}`,
          `${c} ${d}`,
        ]);
        expect(new Set(found)).toEqual(expected);
      }),
    );
  });

  it('is empty where the label is absent', () => {
    expect(contourPath(Uint8Array.of(1, 2), 1, 2, 3)).toBe('');
  });
});
