/** From here on figures are written with their power of ten. */
const LARGE = 1e9;

/** Up to four significant digits, without trailing zeros. */
export function formatFigure(value: number): string {
  const figure = Number(value.toPrecision(4));
  return Math.abs(figure) >= LARGE ? figure.toExponential() : String(figure);
}

/** Sizes or spacings along `[depth, height, width]` as people and files have them: x first. */
export function formatAxes(values: readonly number[]): string {
  return values.map(formatFigure).reverse().join(' x ');
}
