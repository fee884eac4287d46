/** Up to four significant digits, without trailing zeros. */
export function formatFigure(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** Sizes or spacings along `[depth, height, width]` as people and files have them: x first. */
export function formatAxes(values: readonly number[]): string {
  return values.map(formatFigure).reverse().join(' x ');
}
