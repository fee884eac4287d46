import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { quoted } from '../base/json.ts';

/** The environment of a process: `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Larger than any count of processes, job number or port. */
const largest = 2 ** 31 - 1;

const digits = z
  .string()
  .regex(/^\d{1,10}$/)
  .transform(Number);

/** A variable's text; undefined where it is not set, or set to nothing. */
export function textOf(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined;
}

/** The text of the first of these variables that is set. Throws a UserError that names them where none is, with `fix` for an end. */
export function requiredText(environment: Environment, names: readonly string[], fix: string): string {
  const text = names.map((name) => textOf(environment, name)).find((found) => found !== undefined);
  if (text !== undefined) return text;
  throw new UserError(`${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not set. ${fix}`);
}

/** A variable's whole number. Throws a UserError where it is not set or none between the limits. */
export function wholeNumberOf(
  environment: Environment,
  name: string,
  { least = 0, most = largest, fix = '' }: { readonly least?: number; readonly most?: number; readonly fix?: string },
): number {
  const text = requiredText(environment, [name], fix);
  const parsed = digits.safeParse(text);
  if (parsed.success && parsed.data >= least && parsed.data <= most) return parsed.data;
  const range = most === largest ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new UserError(
    `${name} is '${quoted(text)}', but must be a whole number ${range}. Set it as the launcher does, or unset it with the others to train in one process.`,
  );
}

/** As {@link wholeNumberOf}, and undefined where the variable is not set. */
export function optionalNumberOf(
  environment: Environment,
  name: string,
  limits: { readonly least?: number; readonly most?: number },
): number | undefined {
  return textOf(environment, name) === undefined ? undefined : wholeNumberOf(environment, name, limits);
}
