import type { ZodType } from 'zod';
import type { UserError } from './errors.ts';

/** What a file holds may be long and of any kind: so much of it is said. */
const mostLetters = 300;

/** What a message quotes from a file: on one line, without control characters, not long. */
export function quoted(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ');
  return line.length > mostLetters ? `${line.slice(0, mostLetters)}...` : line;
}

/**
 * The value of a JSON text, checked.
 * @param refusal makes an error of what is wrong and where, in a few words each
 * @throws that error
 */
export function parseJson<T>(
  text: string,
  schema: ZodType<T>,
  refusal: (problems: readonly [string, ...string[]]) => UserError,
): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refusal([`this is not valid JSON: ${quoted(reason)}`]);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first, ...others] = parsed.error.issues.map(({ path, message }) =>
    quoted(`at ${path.join('.') || 'the top'}: ${message}`),
  );
  throw refusal([first, ...others]);
}
