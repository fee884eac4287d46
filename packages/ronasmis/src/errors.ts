/**
 * What the user can mend: its message is a whole sentence that names the file or option, what is wrong and the mend.
 * The command line prints the message alone and exits with code 2; any other error is a defect and exits with code 1.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** So many errors are named before the rest is counted. */
const maxNamedErrors = 10;

/** One error of several: a sentence a line. */
export function allErrors(sentences: readonly string[]): UserError {
  const more = sentences.length - maxNamedErrors;
  return new UserError(
    [...sentences.slice(0, maxNamedErrors), ...(more > 0 ? [`(and ${more} more errors)`] : [])].join('\n'),
  );
}

/** Why a file operation failed, in words: Node's message without its code. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^[A-Z]+: /, '') : String(error);
}
