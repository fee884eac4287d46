/**
 * For each of the 16 patterns of a 2 x 2 neighbourhood (bit 1: top left, 2: top right, 4: bottom right, 8: bottom left),
 * the pieces of contour through it, from one edge's middle to another's (t: top, r: right, b: bottom, l: left).
 */
const PIECES: readonly string[] = [
  '',
  'lt',
  'tr',
  'lr',
  'rb',
  'ltrb',
  'tb',
  'lb',
  'lb',
  'tb',
  'trlb',
  'rb',
  'lr',
  'tr',
  'lt',
  '',
];

/** Offset of an edge's middle from the centre of the neighbourhood's top left pixel. */
const MIDDLES: Readonly<Record<string, readonly [number, number]>> = {
  t: [0.5, 0],
  r: [1, 0.5],
  b: [0.5, 1],
  l: [0, 0.5],
};

/**
 * Contour of a label in a slice as an SVG path in pixels (marching squares, Lorensen & Cline 1987 in the plane); a
 * pixel (column, row) covers [column, column + 1] x [row, row + 1].
 * @param labels [height, width]
 * @returns path data, empty where the label is absent
 */
export function contourPath(labels: Uint8Array, height: number, width: number, label: number): string {
  const has = (row: number, column: number) =>
    row >= 0 && column >= 0 && row < height && column < width && labels[row * width + column] === label;
  let path = '';
  for (let row = -1; row < height; row++) {
    for (let column = -1; column < width; column++) {
      const pattern =
        (has(row, column) ? 1 : 0) +
        (has(row, column + 1) ? 2 : 0) +
        (has(row + 1, column + 1) ? 4 : 0) +
        (has(row + 1, column) ? 8 : 0);
      const edges = PIECES[pattern];
      for (let i = 0; i < edges.length; i++) {
        const [x, y] = MIDDLES[edges[i]];
        path += `${i % 2 === 0 ? 'M' : 'L'}${column + x + 0.5} ${row + y + 0.5}`;
      }
    }
  }
  return path;
}
