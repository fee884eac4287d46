/** A JSON value as pairs of a dotted name and a text; lists of plain values stay together. */
export function flatten(name: string, value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null) return [[name, value === null ? 'none' : String(value)]];
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return [[name, value.join(', ')]];
  return Object.entries(value).flatMap(([key, item]) => flatten(name === '' ? key : `${name}.${key}`, item));
}
